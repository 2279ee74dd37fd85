"""Absorption profiles: each species' lines and bands over wavelength, at the resolution of the instrument.

R rest-frame samples, S species; a profile is about 1 at the centre of the species' strongest line.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.simulated import lines
from spectral.data.readers.simulated.grid import REST, SIGMA_LN, STEP_LN, Array, rise
from spectral.data.readers.simulated.species import SPECIES

NUM_WEAK_LINES = 3000
LN_REST = np.log(REST)
Values = NDArray[np.float64]


@cache
def profiles() -> Array:
    """The profiles of SPECIES, [S, R]."""
    known = {
        "H core": _atomic({lines.balmer(n): _series(n) for n in range(3, 25)}, width_ln=2.5e-4),
        "H wings": stark_wings(width_ln=1.5e-3),
        "H limit": _balmer_continuum(),
        "He I": _atomic(lines.HE_I, width_ln=3e-4),
        "He II": _atomic(lines.HE_II, width_ln=4e-4),
        "Ca II": _atomic(lines.CA_II, width_ln=6e-4),
        "Ca I": _atomic(lines.CA_I, width_ln=4e-4),
        "Na I": _atomic(lines.NA_I, width_ln=3e-4),
        "K I": _atomic(lines.K_I, width_ln=4e-4),
        "Mg I": _atomic(lines.MG_I, width_ln=3e-4),
        "Mg II": _atomic(lines.MG_II),
        "O I": _atomic(lines.O_I),
        "Fe I": _atomic(lines.FE_I, width_ln=1e-4),
        "Fe II": _atomic(lines.FE_II),
        "blends": _weak_lines(),
        "CH": _bands(lines.CH_BANDS),
        "CN": _bands(lines.CN_BANDS),
        "MgH": _bands(lines.MGH_BANDS),
        "TiO": _bands(lines.TIO_BANDS),
        "CaH": _bands(lines.CAH_BANDS),
        "VO": _bands(lines.VO_BANDS),
    }
    return np.stack([known[name] for name in SPECIES]).astype(np.float32)


def stark_wings(width_ln: float) -> Values:
    """Balmer lines with pressure-broadened wings, which fall as distance^-2.5 (Holtsmark), [R].

    Args:
        width_ln: distance in ln(wavelength) where a wing has fallen to 2^-1.25.
    """
    total: Values = np.zeros_like(REST)
    for level in range(3, 25):
        distance = (LN_REST - np.log(lines.balmer(level))) / width_ln
        total += _series(level) * (1 + distance**2) ** -1.25
    return total


def _series(level: int) -> float:
    """Relative strength along the Balmer series: equal while the lines saturate, then falling."""
    return min(1.0, (9.0 / level) ** 2)


def _balmer_continuum() -> Values:
    """Ionisation from the second level: wavelength^3 below the limit, its edge smeared by the merging lines."""
    edge = rise((np.log(lines.BALMER_LIMIT * 1.005) - LN_REST) / 2e-3)
    return np.asarray(edge * (REST / lines.BALMER_LIMIT) ** 3)


def _atomic(table: Mapping[float, float], width_ln: float = 0.0) -> Values:
    """Gaussian lines; a width of their own lowers nothing, since strengths are those at the centre."""
    sigma = np.hypot(SIGMA_LN, width_ln)
    total: Values = np.zeros_like(REST)
    for wave, strength in table.items():
        total += strength * np.exp(-0.5 * ((LN_REST - np.log(wave)) / sigma) ** 2)
    return total


def _weak_lines() -> Values:
    """Thousands of weak metal lines, denser than they can be resolved and stronger towards the violet.

    No list of so many lines is kept here: their places and strengths are drawn once, from a fixed seed, with the
    steep rise below 4000 Angstrom that makes the break of cool stars and old galaxies.
    """
    rng = np.random.default_rng(4000)
    centres = rng.uniform(LN_REST[0], LN_REST[-1], NUM_WEAK_LINES)
    waves = np.exp(centres)
    violet = 0.45 * rise((3990.0 - waves) / 25.0)
    heights = rng.lognormal(-0.5, 0.8, NUM_WEAK_LINES) * (0.24 * np.minimum((4200.0 / waves) ** 4, 1.6) + violet)
    total = np.zeros_like(REST)
    np.add.at(total, np.round((centres - LN_REST[0]) / STEP_LN).astype(int), heights)
    reach = np.arange(-8, 9) * STEP_LN
    return np.convolve(total, np.exp(-0.5 * (reach / SIGMA_LN) ** 2), mode="same")


def _bands(table: Iterable[tuple[float, float, float]]) -> Values:
    """Molecular bands: a sharp head, then a tail that has fallen to 1/e at the band's end."""
    total: Values = np.zeros_like(REST)
    for head, end, strength in table:
        inside = (LN_REST - np.log(head)) / (np.log(end) - np.log(head))
        total += strength * rise(inside * abs(np.log(end / head)) / SIGMA_LN) * np.exp(-np.maximum(inside, 0.0))
    return total

"""Stars: a Planck continuum seen through layers of absorbers.

Flux = B(T) exp(-sum over species of strength(T) x profile(wavelength)). R rest-frame samples, L observed pixels.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from spectral.data.readers.simulated.dust import dimming
from spectral.data.readers.simulated.grid import REST32, Array, redshifted
from spectral.data.readers.simulated.opacity import profiles, stark_wings
from spectral.data.readers.simulated.species import SPECIES, strengths

HC_OVER_K = 1.438777e8  # Angstrom K
NAMES = tuple(SPECIES)
LIGHT_ELEMENTS = np.array([name.startswith("H") for name in NAMES])  # hydrogen and helium

# Subclass: (share of the stars, lowest and highest temperature in K). The shares are roughly those of LAMOST, whose
# stars are mostly F, G and K; hot, degenerate and emission-line stars are raised enough to be met in a small survey.
SUBCLASSES: Mapping[str, tuple[float, float, float]] = {
    "O": (0.002, 30000.0, 45000.0),
    "B": (0.015, 10500.0, 30000.0),
    "A": (0.080, 7300.0, 10500.0),
    "F": (0.300, 6000.0, 7300.0),
    "G": (0.330, 5200.0, 6000.0),
    "K": (0.190, 3900.0, 5200.0),
    "M": (0.070, 2900.0, 3900.0),
    "white_dwarf": (0.008, 8000.0, 30000.0),
    "emission": (0.005, 2900.0, 25000.0),
}


def planck(wave: Array, temperature_k: float) -> Array:
    """Planck's law per unit wavelength over sigma T^4, up to a constant: light of equal luminosities."""
    exponent = np.float32(HC_OVER_K / temperature_k) / wave
    scale = np.float32((temperature_k / 5800.0) ** -4)
    return np.asarray(scale * (wave / np.float32(5500.0)) ** -5 / np.expm1(exponent))


def photosphere(temperature_k: float, metals: float = 1.0, wings: float = 1.0, emission: float = 0.0) -> Array:
    """A star's flux at rest, [R], before dust.

    Args:
        temperature_k: effective temperature, 2500 to 50000 K.
        metals: factor on the strengths of metals and molecules.
        wings: factor on the wings of the Balmer lines, which grow with the surface gravity.
        emission: ln of the factor by which the Balmer lines stand over the absorption.
    """
    strength = strengths(temperature_k)
    strength[~LIGHT_ELEMENTS] *= metals
    strength[NAMES.index("H wings")] *= wings
    strength[NAMES.index("H core")] -= emission
    return planck(REST32, temperature_k) * _through(strength @ profiles())


def white_dwarf(temperature_k: float) -> Array:
    """A white dwarf of type DA at rest, [R]: hydrogen alone, its lines several times as wide as in a dwarf."""
    strength = strengths(temperature_k)[NAMES.index("H core")]
    return planck(REST32, temperature_k) * _through(strength * _white_dwarf_lines())


def _through(optical_depth: Array) -> Array:
    """The fraction of light that passes."""
    return np.asarray(np.exp(-optical_depth))


@cache
def _white_dwarf_lines() -> Array:
    return stark_wings(width_ln=5e-3).astype(np.float32)


def star(rng: np.random.Generator, subclass: str, redshift: float) -> Array:
    """A star's flux on the observed grid, [L], in arbitrary units."""
    _, low, high = SUBCLASSES[subclass]
    temperature = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    metals, wings = float(rng.lognormal(-0.1, 0.35)), float(rng.lognormal(0.0, 0.3))
    emission = float(rng.uniform(0.8, 2.5)) if subclass == "emission" else 0.0
    hydrogen_only = subclass == "white_dwarf"
    rest = white_dwarf(temperature) if hydrogen_only else photosphere(temperature, metals, wings, emission)
    return redshifted(rest, redshift) * dimming(min(float(rng.exponential(0.25)), 1.5))

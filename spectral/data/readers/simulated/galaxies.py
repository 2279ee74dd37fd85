"""Galaxies: populations of stars of one age each, mixed, with the emission lines of ionised gas.

R rest-frame samples, L observed pixels, A ages, W widths.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.simulated import lines
from spectral.data.readers.simulated.dust import dimming
from spectral.data.readers.simulated.grid import REST, SIGMA_LN, STEP_LN, WAVE32, Array, gaussians, redshifted
from spectral.data.readers.simulated.stars import photosphere

SPEED_OF_LIGHT_KM_S = 299792.458
AGES_GYR = np.array([0.005, 0.02, 0.1, 0.4, 1.0, 2.5, 6.0, 12.0])
WIDTHS_KM_S = (80.0, 320.0)  # velocity dispersions between which a galaxy's is interpolated

# Subclass: (share, youngest and oldest age of the main population in Gyr, share of young light, H alpha equivalent
# width in Angstrom as the median of a lognormal of scatter 0.6).
SUBCLASSES: Mapping[str, tuple[float, tuple[float, float], float, float]] = {
    "old": (0.45, (5.0, 12.0), 0.00, 0.3),
    "spiral": (0.35, (2.0, 9.0), 0.25, 15.0),
    "starburst": (0.15, (0.5, 5.0), 0.65, 60.0),
    "post_starburst": (0.05, (0.3, 1.2), 0.0, 0.5),
}
YOUNG = slice(0, 3)
MASSES = np.geomspace(0.15, 40.0, 60)  # solar masses


def population(age_gyr: float) -> Array:
    """Light at rest of stars born together, [R], normalised at 5500 Angstrom.

    Salpeter's (1955) mass function with L ~ m^3.5, T ~ m^0.55 on the main sequence up to the turn-off mass, where the
    lifetime 10 Gyr m^-2.5 equals the age; after 0.8 Gyr giants of 4200 to 5000 K give half of the light at 5500.
    """
    turn_off = (age_gyr / 10.0) ** -0.4
    total: NDArray[np.float64] = np.zeros_like(REST)
    for mass in MASSES[turn_off >= MASSES]:
        temperature = min(max(5800.0 * mass**0.55, 3000.0), 40000.0)
        total += mass ** (3.5 - 2.35 + 1.0) * photosphere(temperature)
    total /= _at_5500(total)
    if age_gyr > 0.8:
        giants = sum(photosphere(kelvin) / _at_5500(photosphere(kelvin)) for kelvin in (4200.0, 4600.0, 5000.0)) / 3
        total = 0.5 * total + 0.5 * giants
    return total.astype(np.float32)


def _at_5500(flux: NDArray[Any]) -> float:
    return float(np.interp(5500.0, REST, flux))


@cache
def populations() -> Array:
    """Populations of AGES_GYR, blurred by WIDTHS_KM_S, [A, W, R]."""
    return np.stack([[_blurred(population(age), width) for width in WIDTHS_KM_S] for age in AGES_GYR])


def _blurred(flux: Array, width_km_s: float) -> Array:
    reach = np.arange(-40, 41) * STEP_LN * SPEED_OF_LIGHT_KM_S / width_km_s
    kernel = np.exp(-0.5 * reach**2)
    return np.convolve(np.pad(flux, 40, mode="edge"), kernel / kernel.sum(), mode="valid").astype(np.float32)


def galaxy(rng: np.random.Generator, subclass: str, redshift: float) -> Array:
    """A galaxy's flux on the observed grid, [L], in arbitrary units; redshift up to 0.6."""
    _, ages, young_light, median_width = SUBCLASSES[subclass]
    rest = _stars(rng, ages, young_light)
    flux = redshifted(rest, redshift)
    width = median_width * float(rng.lognormal(0.0, 0.6))
    flux = flux + _emission(rng, redshift, width, _at_5500(rest) / (1 + redshift))
    return flux * dimming(min(float(rng.exponential(0.2)), 0.8))


def _stars(rng: np.random.Generator, ages_gyr: tuple[float, float], young_light: float) -> Array:
    """A main population, its neighbour in age, and young stars, [R]."""
    position = float(np.interp(np.log(rng.uniform(*ages_gyr)), np.log(AGES_GYR), np.arange(len(AGES_GYR))))
    weights = np.maximum(1 - np.abs(np.arange(len(AGES_GYR)) - position), 0.0)
    young = min(young_light * float(rng.uniform(0.3, 1.6)), 0.95)
    weights = weights * (1 - young)
    weights[YOUNG] += young * rng.dirichlet(np.ones(3))
    broad = float(rng.beta(1.5, 2.0))
    mix = np.outer(weights, (1 - broad, broad)).astype(np.float32)
    table = populations()
    used = np.flatnonzero(weights)
    total: Array = mix[used].reshape(-1) @ table[used].reshape(2 * len(used), -1)
    return total


def _emission(rng: np.random.Generator, redshift: float, halpha_width: float, continuum: float) -> Array:
    """Emission lines, [L].

    H beta = H alpha / 2.86 (case B, Osterbrock & Ferland 2006); [O III] / H beta follows [N II] / H alpha along the
    curve of Kauffmann et al. (2003, MNRAS 346, 1055, eq. 1), 0.3 dex below it and with scatter.

    Args:
        halpha_width: equivalent width at rest, Angstrom.
        continuum: flux density near the lines.
    """
    log_nii = float(rng.uniform(-1.1, -0.35))
    log_oiii = 0.61 / (log_nii - 0.05) + 1.3 - 0.3 + 0.15 * float(rng.standard_normal())
    oii, sii, nii, oiii = float(rng.lognormal(-0.3, 0.3)), float(rng.uniform(0.12, 0.3)), 10**log_nii, 10**log_oiii
    hbeta = 1 / 2.86
    table = (
        (lines.balmer(3), 1.0), (lines.balmer(4), hbeta), (lines.balmer(5), 0.468 * hbeta),
        (lines.balmer(6), 0.259 * hbeta), (lines.OII[0], 0.45 * oii), (lines.OII[1], 0.55 * oii),
        (lines.NE_III, 0.08 * oiii * hbeta), (lines.OIII[0], oiii * hbeta / 2.98), (lines.OIII[1], oiii * hbeta),
        (lines.OI[0], 0.04), (lines.OI[1], 0.013), (lines.NII[0], nii / 3.05), (lines.NII[1], nii),
        (lines.SII[0], 0.58 * sii), (lines.SII[1], 0.42 * sii),
    )  # fmt: skip
    centres, ratios = np.array(table, dtype=np.float32).T * np.array([[1 + redshift], [1.0]], dtype=np.float32)
    velocity = float(rng.uniform(60.0, 180.0)) / SPEED_OF_LIGHT_KM_S
    sigmas = centres * np.float32(np.hypot(velocity, SIGMA_LN))
    areas = ratios * np.float32(halpha_width * (1 + redshift) * continuum)
    return gaussians(WAVE32, centres, sigmas, areas / (sigmas * np.float32(np.sqrt(2 * np.pi))))

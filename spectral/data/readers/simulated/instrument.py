"""The instrument and the sky: what turns a spectrum at the top of the atmosphere into a reduced exposure.

L observed pixels; counts are the units of the flux.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from spectral.data.readers.simulated.grid import ARM_JUNCTION, WAVE, WAVE32, Array, gaussians, rise
from spectral.data.readers.simulated.lines import OH_AIR_LINES, SKY_LINES, TELLURIC_BANDS

SHOT_SHARE = 0.4  # of the variance that comes from the object's own light at its median flux; the rest is the sky's
BLUE_ARM = ARM_JUNCTION > WAVE
NUM_WAVES = 5  # of the smooth error of flux calibration


@dataclass
class Exposure:
    """What happened above the detector, before noise: signal and noise in counts, [L] each."""

    signal: Array
    sigma: Array
    sky: Array  # what sky subtraction left, in counts


@cache
def sky_pattern() -> Array:
    """Emission lines of the night sky at the instrument's resolution, [L]; the strongest has about 4."""
    oh = np.array(OH_AIR_LINES) * 1.000275  # air to vacuum within 0.02 Angstrom from 6800 to 9100
    heights = np.concatenate([[4.0, 0.8, 0.6, 2.0, 0.8], np.random.default_rng(1996).uniform(0.6, 3.0, len(oh))])
    centres = np.concatenate([SKY_LINES, oh]).astype(np.float32)
    return gaussians(WAVE32, centres, np.full_like(centres, 2.2), heights.astype(np.float32))


@cache
def noise_shape() -> Array:
    """Noise of an exposure of the empty sky, relative to its middle, [L].

    It rises where the throughput falls: steeply below 4100 Angstrom, at the junction of the arms and at the red end;
    and under the lines of the night sky.
    """
    shape = 1 + 7 * np.exp(-(WAVE - WAVE[0]) / 120) + 1.2 * np.exp(-(WAVE - WAVE[0]) / 500)
    shape += 0.8 * np.exp(-0.5 * ((WAVE - ARM_JUNCTION) / 45) ** 2) + np.exp(-(WAVE[-1] - WAVE) / 40)
    shape += 0.4 * rise((WAVE - 7200) / 150)
    return np.asarray(shape.astype(np.float32) + np.float32(0.7) * sky_pattern())


@cache
def telluric_depth() -> Array:
    """Optical depth of the atmosphere's molecular bands that remains after correction at strength 1, [L]."""
    depth = np.zeros_like(WAVE)
    for start, end, strength in TELLURIC_BANDS:
        depth += strength * rise((WAVE - start) / 4) * rise((end - WAVE) / 15)
    return depth.astype(np.float32)


@cache
def _calibration_waves() -> Array:
    """Cosines over the spectrum, [NUM_WAVES, L]."""
    unit = (WAVE - WAVE[0]) / (WAVE[-1] - WAVE[0])
    return np.stack([np.cos(np.pi * k * unit) for k in range(1, NUM_WAVES + 1)]).astype(np.float32)


def calibration_error(rng: np.random.Generator) -> Array:
    """The factor by which flux calibration is wrong, [L]: smooth, with a step where the arms are joined."""
    heights = rng.normal(0.0, 0.14, NUM_WAVES) / np.arange(1, NUM_WAVES + 1) ** 0.5
    smooth: Array = np.exp(heights.astype(np.float32) @ _calibration_waves())
    smooth[BLUE_ARM] *= np.float32(np.exp(rng.normal(0.0, 0.08)))
    return smooth


def expose(rng: np.random.Generator, light: Array, snr: float, counts: float) -> Exposure:
    """Put light through the atmosphere and the instrument.

    Args:
        light: flux above the atmosphere, [L], any units.
        snr: median over the pixels of signal over noise.
        counts: median of the signal.
    """
    signal = light * calibration_error(rng) * np.exp(np.float32(-rng.uniform(0.0, 0.5)) * telluric_depth())
    signal = signal * np.float32(counts / np.median(signal))
    sky_share = np.float32((1 - SHOT_SHARE) * counts) + np.float32(SHOT_SHARE) * signal
    sigma = noise_shape() * np.sqrt(sky_share)
    sigma = sigma * np.float32(np.median(signal / sigma) / snr)
    residual = rng.normal(0.0, 0.5, 2).astype(np.float32)
    sky = np.where(BLUE_ARM, residual[0], residual[1]) * sky_pattern() * np.float32(np.median(sigma))
    return Exposure(signal, sigma, sky)


def add_cosmic_rays(rng: np.random.Generator, flux: Array, sigma: Array, num: int) -> None:
    """Add hits one to three pixels wide to flux, in place."""
    starts, heights = rng.integers(0, len(flux) - 3, num), rng.exponential(15.0, num) + 5.0
    for width in range(3):
        hit = rng.random(num) < 0.6**width
        np.add.at(flux, starts[hit] + width, (heights[hit] * sigma[starts[hit]]).astype(np.float32))


def read_out(rng: np.random.Generator, exposure: Exposure, num_cosmic_rays: int, gap_angstrom: float) -> list[Array]:
    """Add noise and cosmic rays, and blank the junction of the arms.

    Args:
        gap_angstrom: width of the blank towards the blue of the junction, 0 for none.

    Returns:
        flux and inverse variance, [L] each; both are 0 in the blank.
    """
    noise = rng.standard_normal(len(WAVE), dtype=np.float32)
    flux = exposure.signal + exposure.sky + exposure.sigma * noise
    add_cosmic_rays(rng, flux, exposure.sigma, num_cosmic_rays)
    ivar = exposure.sigma ** np.float32(-2)
    if gap_angstrom:
        blank = BLUE_ARM & (ARM_JUNCTION - gap_angstrom < WAVE)
        flux[blank], ivar[blank] = 0.0, 0.0
    return [flux, ivar]

"""The class `unknown`: exposures that a pipeline cannot classify, because they are too faint or broken."""

from collections.abc import Mapping

import numpy as np

from spectral.data.readers.simulated.grid import WAVE
from spectral.data.readers.simulated.instrument import BLUE_ARM, Exposure, noise_shape, sky_pattern

# Kind: share of the unknown. `faint` is any object at low signal-to-noise, the others are broken exposures whose
# objects had the signal-to-noise of the known classes.
SUBCLASSES: Mapping[str, float] = {
    "faint": 0.5,
    "arm_lost": 0.16,
    "sky_residuals": 0.14,
    "cosmic_rays": 0.12,
    "constant": 0.08,
}
FAINT_SNR_MEDIAN, FAINT_SNR_SCATTER = 1.5, 0.5  # lognormal
NUM_COSMIC_RAYS = (80, 250)


def damage(rng: np.random.Generator, kind: str, exposure: Exposure) -> Exposure:
    """Break an exposure before it is read out; cosmic rays come later, faintness earlier."""
    if kind == "arm_lost":
        lost = BLUE_ARM if rng.random() < 0.5 else ~BLUE_ARM
        kept = np.float32(rng.uniform(0.0, 0.1))
        return Exposure(np.where(lost, kept * exposure.signal, exposure.signal), exposure.sigma, exposure.sky)
    if kind == "sky_residuals":
        level = np.float32(np.median(exposure.signal))
        sign = np.float32(rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 1.5))
        sigma = noise_shape() * level * np.float32(rng.uniform(0.3, 1.0))
        pedestal = np.full_like(exposure.signal, level * np.float32(rng.uniform(0.0, 0.6)))
        return Exposure(pedestal, sigma, sign * level * sky_pattern())
    if kind == "constant":
        level = np.float32(np.median(exposure.signal))
        sigma = np.full_like(exposure.sigma, np.median(exposure.sigma))
        return Exposure(np.full(len(WAVE), level, dtype=np.float32), sigma, np.zeros_like(exposure.sky))
    return exposure

"""Interstellar dust: the extinction law of Cardelli, Clayton & Mathis (1989, ApJ 345, 245), optical part."""

from functools import cache

import numpy as np

from spectral.data.readers.simulated.grid import WAVE, Array

R_V = 3.1  # of the diffuse Milky Way
# Coefficients of equations 3a and 3b, highest power first.
A_COEFFICIENTS = (0.32999, -0.77530, 0.01979, 0.72085, -0.02427, -0.50447, 0.17699, 1.0)
B_COEFFICIENTS = (-2.09002, 5.30260, -0.62251, -5.38434, 1.07233, 2.28305, 1.41338, 0.0)


@cache
def extinction_curve() -> Array:
    """A(wavelength) in magnitudes for E(B-V) = 1, [L]; the law holds from 3030 to 9090 Angstrom."""
    y = 1e4 / WAVE - 1.82
    return np.asarray(R_V * np.polyval(A_COEFFICIENTS, y) + np.polyval(B_COEFFICIENTS, y), dtype=np.float32)


def dimming(colour_excess: float) -> Array:
    """The fraction of light that dust lets through, [L].

    Args:
        colour_excess: E(B-V), magnitudes.
    """
    through: Array = np.exp(np.float32(-0.4 * np.log(10) * colour_excess) * extinction_curve())
    return through

"""The wavelength grids, and how a spectrum at rest gets onto the observed one.

L = 2600 observed pixels, R = rest-frame samples. Wavelengths are vacuum wavelengths in Angstrom throughout.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

WAVE = np.linspace(3690.0, 9100.0, 2600)  # [L]
WAVE32: Array = WAVE.astype(np.float32)
ARM_JUNCTION = 5900.0  # where the blue and the red arm of the LAMOST spectrographs meet (Cui et al. 2012)

# Gaussian sigma of the instrument in ln(wavelength) at a resolving power of 1800 (LAMOST; Cui et al. 2012).
SIGMA_LN = 1.0 / (1800.0 * 2.3548)

# Rest-frame samples are uniform in ln(wavelength), so that a redshift is a shift by a constant.
STEP_LN = 1.5e-4
REST = np.exp(np.arange(np.log(2200.0), np.log(9250.0), STEP_LN))  # [R]
REST32: Array = REST.astype(np.float32)
_POSITION = (np.log(WAVE) - np.log(REST[0])) / STEP_LN


def rise(distance: NDArray[Any]) -> NDArray[Any]:
    """The logistic function, 0 far below and 1 far above, in a form that never overflows; any shape."""
    risen: NDArray[Any] = 0.5 + 0.5 * np.tanh(0.5 * distance)
    return risen


def redshifted(values: Array, redshift: float) -> Array:
    """Interpolate rest-frame samples linearly onto the observed grid.

    Args:
        values: samples at REST, [R].
        redshift: (observed - rest) / rest wavelength; from -0.01 to 0.6 the samples cover the whole observed grid.

    Returns:
        values at the observed wavelengths, [L].
    """
    position = _POSITION - np.log1p(redshift) / STEP_LN
    below = position.astype(np.int64)
    part = (position - below).astype(np.float32)
    shifted: Array = values[below] * (1 - part) + values[below + 1] * part
    return shifted


def gaussians(wave: Array, centres: Array, sigmas: Array, heights: Array) -> Array:
    """Sum of Gaussian lines.

    Args:
        wave: where to evaluate, [L], Angstrom.
        centres, sigmas: of each line, [N], Angstrom.
        heights: peak of each line, [N].

    Returns:
        the sum, [L].
    """
    seen = (centres > wave[0] - 5 * sigmas) & (centres < wave[-1] + 5 * sigmas)
    distance = (wave - centres[seen, None]) / sigmas[seen, None]
    total: Array = heights[seen] @ np.exp(-0.5 * distance * distance)
    return total

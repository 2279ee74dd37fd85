"""Numbers of FITS files as a spectrum needs them, whatever a damaged file says. L pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_header import FitsHeader
from spectral.data.readers.survey_files.layout import UnreadableError

MOST_PIXELS = 1_000_000  # of a spectrum, whatever a header asks for


def float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """Numbers as float32 in native byte order; those beyond its range become infinite, which the row checks see.

    Raises:
        UnreadableError: they are text or complex.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(_real(values), dtype=np.float32)


def float64(values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers as float64. Raises UnreadableError if they are text or complex."""
    return _real(values).astype(np.float64)


def from_log10(log_wave: NDArray[Any]) -> NDArray[np.float64]:
    """Wavelengths of their logarithms. Raises UnreadableError as `float64` does."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(10 ** float64(log_wave))


def wave_of_header(header: FitsHeader, num: int) -> NDArray[np.float64]:
    """Wavelengths [L] whose log10 is COEFF0 + COEFF1 * pixel.

    Raises:
        UnreadableError: a keyword is absent, or there are more pixels than a spectrum can have.
    """
    if num > MOST_PIXELS:
        raise UnreadableError(f"too large: a spectrum of {num:,} pixels, at most {MOST_PIXELS:,} are read")
    start, step = (header.needed_number(name, "the wavelengths") for name in ("COEFF0", "COEFF1"))
    with np.errstate(over="ignore", invalid="ignore"):
        return from_log10(start + step * np.arange(num))


def _real(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind not in "biuf":
        raise UnreadableError(f"wrong layout: values of type {values.dtype.name}, not numbers")
    return values

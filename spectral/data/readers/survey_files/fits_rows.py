"""Some rows of a FITS image, without the others."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_file import Hdu
from spectral.data.readers.survey_files.layout import UnreadableError


def image_rows(hdu: Hdu, indices: Sequence[int], shape: tuple[int | None, int]) -> NDArray[Any]:
    """Rows [n, L] of an image [N, L].

    Args:
        shape: what the image must have; N may be None.

    Raises:
        UnreadableError: it has another shape, or fewer rows.
    """
    found = hdu.shape
    if len(found) != 2 or found[1] != shape[1] or shape[0] not in (None, found[0]):
        raise UnreadableError(f"wrong layout: {hdu} is of {list(found)}, not of rows of {shape[1]} pixels")
    if max(indices, default=0) >= found[0]:
        raise UnreadableError(f"wrong layout: {hdu} has {found[0]} rows, none for spectrum {max(indices)}")
    return hdu.rows(indices)

"""Some rows of a FITS image, without the others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.layout import UnreadableError


def runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Indices that follow one another, as start and stop."""
    rows = np.asarray(indices, np.int64)
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(rows, breaks) if len(run)]


def image_rows(hdu: Any, indices: Sequence[int], shape: tuple[int | None, int]) -> NDArray[Any]:
    """Rows [n, L] of an image [N, L].

    Args:
        shape: what the image must have; N may be None.

    Raises:
        UnreadableError: it has another shape, or fewer rows.
    """
    found = hdu.shape
    if len(found) != 2 or found[1] != shape[1] or shape[0] not in (None, found[0]):
        raise UnreadableError(f"wrong layout: HDU {hdu.name} is of {list(found)}, not of rows of {shape[1]} pixels")
    if max(indices, default=0) >= found[0]:
        raise UnreadableError(f"wrong layout: HDU {hdu.name} has {found[0]} rows, none for spectrum {max(indices)}")
    parts = [np.asarray(hdu.section[start:stop, :]) for start, stop in runs(indices)]
    return np.concatenate(parts) if parts else np.zeros((0, found[1]))

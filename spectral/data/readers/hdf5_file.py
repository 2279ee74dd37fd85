"""HDF5 files, read with h5py: only the rows asked for, and every damage as a reason."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.layout import UnreadableError, is_of_system

MOST_COMPRESSED = 1100  # times; deflate makes zeros 1,032 times as small


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """A file, open for reading.

    Raises:
        UnreadableError: what h5py raises within the block, as a reason.
    """
    if path.exists() and path.stat().st_size == 0:
        raise UnreadableError("empty file")
    try:
        with h5py.File(path, "r", locking=False) as file:  # a disk that allows no locks is read too
            yield file
    except UnreadableError:
        raise
    # h5py has many errors for a damaged file, and whatever it is, the file cannot be read.
    except Exception as error:
        if is_of_system(error):
            raise
        words = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableError(f"not a whole HDF5 file: {words.rstrip('.')}") from error


def sound(dataset: Any) -> Any:
    """A dataset, if a file of its size can hold it. A damaged one may ask for more memory than there is.

    A virtual or external one has its numbers in other files.

    Raises:
        UnreadableError: it cannot.
    """
    if dataset.is_virtual or dataset.external:
        return dataset
    num_bytes = prod(dataset.shape) * dataset.dtype.itemsize
    if num_bytes > MOST_COMPRESSED * Path(dataset.file.filename).stat().st_size:
        raise UnreadableError(f"damaged HDF5: {dataset.name} of {list(dataset.shape)} is too large for its file")
    return dataset


def text_of(dataset: Any) -> NDArray[Any]:
    """Text [N] of a dataset, whether it is stored with one length or many."""
    sound(dataset)
    if dataset.dtype.kind == "S":
        return np.char.strip(np.char.decode(dataset[:], "utf-8", "replace"))
    return np.array([value.strip() for value in dataset.asstr(errors="replace")[:]], dtype=object)


def is_text(dataset: Any) -> bool:
    return dataset.dtype.kind == "S" or h5py.check_string_dtype(dataset.dtype) is not None


def rows_of(dataset: Any, indices: Sequence[int] | NDArray[np.int64]) -> list[NDArray[Any]]:
    """Some rows of a dataset [N, ...]; those that follow one another are read in one go."""
    rows = np.asarray(indices, np.int64)
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    runs = [dataset[int(run[0]) : int(run[-1]) + 1] for run in np.split(rows, breaks) if len(run)]
    return [row for run in runs for row in run]

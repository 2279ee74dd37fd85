"""Arrays of HDF5 files, read row by row. A file's groups are parts of the arrays' names."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.arrays.stored_array import StoredArray, damage_errors
from spectral.data.readers.hdf5_file import is_text, open_hdf5, rows_of, sound, text_of
from spectral.errors import UserError

MOST_DATASETS = 10_000


@dataclass(frozen=True)
class Hdf5Array:
    """A dataset, or one field of a dataset of records.

    Args:
        name: path within the file.
        field: of the records, or None.
        kind: numpy's letter for the kind of dtype; text of any length is U.
    """

    source: str
    path: Path
    name: str
    field: str | None
    shape: tuple[int, ...]
    dtype: str
    kind: str

    @property
    def full_name(self) -> str:
        return self.name if self.field is None else f"{self.name}/{self.field}"

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        with damage_errors(self.source), open_hdf5(self.path) as file:
            rows = rows_of(self._of(file), numbers)
        return np.stack(rows) if rows else np.zeros((0, *self.shape[1:]), self.dtype)

    def values(self) -> NDArray[Any]:
        with damage_errors(self.source), open_hdf5(self.path) as file:
            dataset = sound(file[self.name])
            if self.field is None and self.kind in "US":
                return text_of(dataset)
            values = np.asarray(self._of(file)[...])
        if self.kind == "S":
            return np.char.strip(np.char.decode(values, "utf-8", "replace"))
        return values.astype(values.dtype.newbyteorder("="))

    def _of(self, file: h5py.File) -> Any:
        dataset = sound(file[self.name])
        return dataset if self.field is None else dataset.fields(self.field)


def map_hdf5(path: Path, source: str) -> dict[str, StoredArray]:
    """The arrays of a file by their paths in it, such as `spectra/flux`; records are an array for each field.

    A name that no other array ends in stands for the whole path.

    Raises:
        UserError: it is no HDF5 file, or holds too many datasets.
    """
    found: dict[str, StoredArray] = {}

    def add(name: str | bytes, dataset: Any) -> bool | None:
        name = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
        if isinstance(dataset, h5py.Dataset) and dataset.shape is not None:
            for field in dataset.dtype.names or (None,):
                array = _array(f"{name}/{field}" if field else name, name, field, dataset, path, source)
                found[f"{name}/{field}" if field else name] = array
        return True if len(found) > MOST_DATASETS else None

    with damage_errors(source), open_hdf5(path) as file:
        stopped = file.visititems(add)
    if stopped:
        raise UserError(
            f"{source} holds more than {MOST_DATASETS:,} datasets: arrays with a row for each spectrum are read, not a "
            "dataset for each."
        )
    ends = {name: name.rpartition("/")[2] for name in found}
    counts = Counter(ends.values())
    return {ends[name] if counts[ends[name]] == 1 else name: array for name, array in found.items()}


def _array(full: str, name: str, field: str | None, dataset: Any, path: Path, source: str) -> Hdf5Array:
    dtype, shape = dataset.dtype, dataset.shape
    if field is not None:
        dtype = dtype[field]
        dtype, shape = dtype.base, (*shape, *dtype.shape)
    kind = "U" if field is None and is_text(dataset) and dtype.kind == "O" else dtype.kind
    return Hdf5Array(f"'{full}' in {source}", path, name, field, tuple(shape), dtype.str, kind)

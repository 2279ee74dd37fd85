"""What the reader of arrays needs of an array, in whatever file it lies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.layout import UnreadableError
from spectral.errors import UserError


class StoredArray(Protocol):
    """Where an array lies in a file; small, and sent to other processes in place of the array."""

    @property
    def source(self) -> str:
        """For error sentences."""
        ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> str: ...

    @property
    def kind(self) -> str:
        """numpy's letter for the kind of dtype: f, i, u, b, U, S, O for Python objects, ..."""
        ...

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Some rows, in this order. Raises UserError if they cannot be read."""
        ...

    def values(self) -> NDArray[Any]:
        """The whole array in memory, in the machine's byte order; bytes as text."""
        ...


@dataclass(frozen=True)
class KnownArray:
    """An array that a file does not hold, but describes."""

    source: str
    array: NDArray[Any]
    unit: str | None = None  # that the file states

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> str:
        return self.array.dtype.str

    @property
    def kind(self) -> str:
        return self.array.dtype.kind

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        return self.array[numbers]

    def values(self) -> NDArray[Any]:
        return self.array


@contextmanager
def damage_errors(source: str) -> Iterator[None]:
    """Damage of a file as a sentence: which of its rows are damaged cannot be known."""
    try:
        yield
    except UnreadableError as error:
        raise UserError(f"{source} cannot be read: {error}.") from error
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror or error}.") from error

"""Rows of memory maps that the operating system reads from disk while the batch before them is computed."""

import mmap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Prefetch:
    """Asks for rows before they are needed: all at once, where each would else be waited for, one after another.

    A row that is not in memory would also bring its neighbours with it, 128 kB for 10 that are wanted, and push out
    what is. Arrays that are no memory maps are left alone, and so are all where the system takes no advice.
    """

    def __init__(self, arrays: Iterable[NDArray[Any] | None]) -> None:
        mapped = (array for array in arrays if array is not None and _is_mapped(array))
        self._maps = [_found(array) for array in mapped] if hasattr(mmap, "MADV_WILLNEED") else []

    def early(self, all_rows: Iterable[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
        """The same arrays of rows, each asked for when the one before it is taken."""
        waiting: NDArray[np.int64] | None = None
        for rows in all_rows:
            self.ask_for(rows)
            if waiting is not None:
                yield waiting
            waiting = rows
        if waiting is not None:
            yield waiting

    def ask_for(self, rows: NDArray[np.int64]) -> None:
        """Returns at once; nothing happens to rows that are in memory."""
        for mapped, first, row_bytes in self._maps:
            begins = first + rows * row_bytes
            for begin, num_before in zip(begins.tolist(), (begins % mmap.PAGESIZE).tolist(), strict=True):
                mapped.madvise(mmap.MADV_WILLNEED, begin - num_before, row_bytes + num_before)


def _is_mapped(array: NDArray[Any]) -> bool:
    """Whether rows of an array lie one after another in a map; what was taken out of a memory map has its type too."""
    has_map = isinstance(array, np.memmap) and array._mmap is not None  # type: ignore[attr-defined]  # NumPy's stubs lack it
    return has_map and array.flags.c_contiguous and len(array) > 0


def _found(array: NDArray[Any]) -> tuple[mmap.mmap, int, int]:
    """The map of an array, where its first row begins there, and the bytes of a row."""
    mapped: mmap.mmap = array._mmap  # type: ignore[attr-defined]  # what NumPy keeps the map in
    start: int = np.frombuffer(mapped, np.uint8, 1).ctypes.data
    return mapped, array.ctypes.data - start, array.strides[0]

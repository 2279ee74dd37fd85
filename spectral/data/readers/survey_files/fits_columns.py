"""Columns of binary tables in FITS files. FITS standard 4.0, section 7.3."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_file import Hdu, scaled
from spectral.data.readers.survey_files.layout import UnreadableError

FORM = re.compile(r"\s*(\d*)([LXBIJKAEDCMPQ])([LXBIJKAEDCM]?)")
TYPES = {"L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8", "M": ">c16"}
POINTERS = {"P": ">i4", "Q": ">i8"}  # length and offset of a cell whose length is its own
SIZES = {code: np.dtype(kind).itemsize for code, kind in TYPES.items()} | {"A": 1, "P": 8, "Q": 16}


@dataclass(frozen=True)
class Column:
    """A column of a table: `repeat` values of type `code` in each row, or pointers to values of type `pointed`."""

    number: int  # from 1, as in TTYPEn
    name: str
    repeat: int
    code: str
    pointed: str
    offset: int  # in bytes within a row

    @property
    def width(self) -> int:
        return -(-self.repeat // 8) if self.code == "X" else self.repeat * SIZES[self.code]


def columns_of(hdu: Hdu) -> list[Column]:
    """The columns of a binary table.

    Raises:
        UnreadableError: the HDU is none, or its columns do not make up its rows.
    """
    if not hdu.is_table:
        raise UnreadableError(f"wrong layout: {hdu} is not a binary table")
    columns, offset = list[Column](), 0
    for number in range(1, hdu.header.count("TFIELDS") + 1):
        form = FORM.match(str(hdu.header.get(f"TFORM{number}", "")))
        if form is None:
            raise UnreadableError(f"damaged FITS: {hdu} has no format of column {number}")
        name = str(hdu.header.get(f"TTYPE{number}") or f"col{number}").strip()
        columns.append(Column(number, name, int(form[1] or 1), form[2], form[3], offset))
        offset += columns[-1].width
    if offset != hdu.header.axes[0] or not columns:
        raise UnreadableError(f"damaged FITS: {hdu} has rows of {hdu.header.axes[0]} bytes and columns of {offset}")
    return columns


def num_rows(hdu: Hdu) -> int:
    """Raises UnreadableError if the HDU is no table."""
    if not hdu.is_table:
        raise UnreadableError(f"wrong layout: {hdu} is not a binary table")
    return hdu.header.axes[1]


def table_columns(hdu: Hdu, names: Sequence[str], start: int = 0, stop: int | None = None) -> dict[str, NDArray[Any]]:
    """Columns of a binary table in native byte order, by their names in lower case; those that are absent are left out.

    Text is stripped of blanks at both ends. Cells whose length is their own are an array of arrays.

    Args:
        start, stop: rows to read; all by default.

    Raises:
        UnreadableError: the HDU is no table, or shorter than its header says.
    """
    there = {column.name.lower(): column for column in reversed(columns_of(hdu))}
    wanted = {name: there[name] for name in names if name in there}
    stop = num_rows(hdu) if stop is None else min(stop, num_rows(hdu))
    row_bytes, num = hdu.header.axes[0], max(0, stop - start)
    raw = np.frombuffer(hdu.read(start * row_bytes, num * row_bytes), np.uint8).reshape(num, row_bytes)
    return {name: _values(hdu, column, raw) for name, column in wanted.items()}


def _values(hdu: Hdu, column: Column, raw: NDArray[np.uint8]) -> NDArray[Any]:
    """The values [N] or [N, ...] of a column, from the bytes of its rows [N, bytes]."""
    cells = np.ascontiguousarray(raw[:, column.offset : column.offset + column.width])
    if column.code in POINTERS:
        return _pointed(hdu, column, cells)
    if column.code == "A":
        return _text(cells)
    if column.code == "X":
        return np.unpackbits(cells, axis=1, count=column.repeat).astype(bool)
    values = cells.view(TYPES[column.code]) if cells.size else np.zeros(cells.shape, TYPES[column.code])
    values = values.reshape(len(raw), *_cell_shape(hdu, column))
    return _scaled(hdu, column, values)


def _scaled(hdu: Hdu, column: Column, values: NDArray[Any]) -> NDArray[Any]:
    if "L" in (column.code, column.pointed):
        return np.asarray(values == ord("T"))
    scale, zero = hdu.header.get(f"TSCAL{column.number}", 1), hdu.header.get(f"TZERO{column.number}", 0)
    return scaled(values, scale, zero)


def _cell_shape(hdu: Hdu, column: Column) -> tuple[int, ...]:
    """Of one cell: () if it holds one value, else as TDIM says, or one axis."""
    axes = tuple(int(number) for number in re.findall(r"\d+", str(hdu.header.get(f"TDIM{column.number}", ""))))[::-1]
    if axes and prod(axes) == column.repeat:
        return axes
    return () if column.repeat == 1 else (column.repeat,)


def _text(cells: NDArray[np.uint8]) -> NDArray[Any]:
    if not cells.size:
        return np.full(len(cells), "", dtype=np.str_)
    return np.char.strip(np.char.decode(cells.view(f"S{cells.shape[1]}").reshape(-1), "latin-1"))


def _pointed(hdu: Hdu, column: Column, cells: NDArray[np.uint8]) -> NDArray[Any]:
    """Cells [N] of their own lengths, from the heap after the rows."""
    if column.pointed not in TYPES:
        raise UnreadableError(f"wrong layout: {hdu} has cells of type {column.pointed or '?'} in {column.name}")
    row_bytes, rows = hdu.header.axes
    heap, size = hdu.header.count("THEAP", row_bytes * rows), SIZES[column.pointed]
    result = np.empty(len(cells), object)
    for row, (num, offset) in enumerate(cells.view(POINTERS[column.code]).reshape(len(cells), -1).tolist()):
        if num < 0 or offset < 0:
            raise UnreadableError(f"damaged FITS: {hdu} points before its heap in row {row} of {column.name}")
        values = np.frombuffer(hdu.read(heap + offset, num * size), TYPES[column.pointed])
        result[row] = _scaled(hdu, column, values)
    return result

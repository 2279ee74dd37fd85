"""A FITS binary table, written row by row: astropy makes the headers, and the rows are in memory a part at a time."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io import fits
from numpy.typing import NDArray

BLOCK_BYTES = 2880  # FITS files are whole blocks of this size
FORMATS = {"i1": "I", "i2": "I", "i4": "J", "i8": "K", "u1": "B", "u2": "J", "u4": "K", "f4": "E", "f8": "D"}
STORED = {"I": ">i2", "J": ">i4", "K": ">i8", "B": "u1", "E": ">f4", "D": ">f8", "L": "u1"}
SHORT = {"evaluate_shifts": "SHIFTS", "precision": "PRECIS"}  # keys of the header, which have at most 8 letters


class FitsWriter:
    """Column names are letters, digits and underscores.

    A missing whole number is TNULL, missing text is empty, a missing truth value is undefined, which is the byte 0.
    """

    def __init__(self, file: BinaryIO, schema: pa.Schema, about: Mapping[str, str], tables: Iterable[pa.Table]) -> None:
        self.file, self.num_rows = file, 0
        self.formats = {field.name: _format(field.type) for field in schema}
        widths = dict.fromkeys((name for name, kind in self.formats.items() if kind == "A"), 1)
        for table in tables:
            self.num_rows += len(table)
            for name in widths:
                widths[name] = max([widths[name], *map(len, _texts(table[name]))])
            for name, kind in self.formats.items():
                if kind == "B" and table[name].null_count:
                    self.formats[name] = "I"  # each of the 256 values of a byte is one that the data may have
        self.dtype = np.dtype(
            [(n, f"S{widths[n]}" if kind == "A" else STORED[kind]) for n, kind in self.formats.items()]
        )
        self._write_headers(widths, about)

    def _write_headers(self, widths: Mapping[str, int], about: Mapping[str, str]) -> None:
        names = fits_names(list(self.formats))
        columns = [
            fits.Column(names[name], f"{widths[name]}A" if kind == "A" else kind, null=_null(kind))
            for name, kind in self.formats.items()
        ]
        header = fits.BinTableHDU.from_columns(columns, nrows=0, name="PREDICTIONS").header
        header["NAXIS2"] = self.num_rows
        for key, value in about.items():
            header[SHORT.get(key, key.upper())] = str(value).encode("ascii", "backslashreplace").decode()
        for part in (fits.PrimaryHDU().header, header):
            self.file.write(part.tostring().encode("ascii"))

    def write(self, table: pa.Table) -> None:
        rows = np.zeros(len(table), self.dtype)
        for name, kind in self.formats.items():
            rows[name] = _texts(table[name]) if kind == "A" else _numbers(table[name], kind)
        self.file.write(rows.tobytes())

    def close(self) -> None:
        self.file.write(bytes(-self.num_rows * self.dtype.itemsize % BLOCK_BYTES))


def fits_names(names: list[str]) -> dict[str, str]:
    """The FITS name of each column. Names that would be the same but for capitals are numbered."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        number = 1
        while plain.lower() in taken:
            number += 1
            plain = f"{base}_{number}"
        taken.add(plain.lower())
        found[name] = plain
    return found


def _format(kind: pa.DataType) -> str:
    """The FITS format of a column; what is no number or truth value is written as text."""
    if pa.types.is_boolean(kind):
        return "L"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return FORMATS.get(np.dtype(kind.to_pandas_dtype()).str[1:], "A")
    return "A"


def _null(kind: str) -> int | None:
    return int(np.iinfo(STORED[kind]).min) if kind in "IJK" else None


def _texts(column: pa.ChunkedArray) -> list[bytes]:
    """Text as FITS has it, in ASCII."""
    values = ("" if value is None else str(value) for value in column.to_pylist())
    return [value.encode("ascii", "backslashreplace") for value in values]


def _numbers(column: pa.ChunkedArray, kind: str) -> NDArray[Any]:
    if kind == "L":
        letters = np.where(pc.fill_null(column, False).to_numpy(), ord("T"), ord("F"))
        return np.where(pc.is_null(column).to_numpy(), 0, letters)
    if kind in "ED":
        return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy())
    return np.asarray(pc.fill_null(column.cast(pa.int64()), _null(kind) or 0).to_numpy())

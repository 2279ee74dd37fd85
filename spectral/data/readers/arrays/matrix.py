"""Text matrices, one row per spectrum: CSV with a label column, and the TSV files of the UCR archive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.arrays.matrix_layout import BYTE_ORDER_MARK, MatrixLayout, matrix_layout
from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.columns import numbers_if_all, tidy_catalog
from spectral.data.readers.contract import Chunk, Flux
from spectral.data.readers.fingerprints import file_stamp
from spectral.data.readers.text import parse_numbers
from spectral.errors import UserError

ROWS_PER_MARK = 256  # rows between two remembered places in the file


@dataclass(frozen=True)
class MatrixReader:
    """Reads rows of any length: blank or NaN pixels at a row's end are not part of its spectrum, as in the UCR archive.

    Dau et al. 2018, arXiv:1810.07758, section on series of unequal length.
    """

    path: Path
    key: str  # the config option that names the path
    options: ArrayOptions

    @property
    def source(self) -> str:
        return f"{self.key}={self.path}"

    @cached_property
    def layout(self) -> MatrixLayout:
        return matrix_layout(self.path, self.options, self.source)

    @cached_property
    def marks(self) -> NDArray[np.int64]:
        """Offset in bytes of every ROWS_PER_MARK-th row, and of the end."""
        offsets = [offset for number, (offset, _) in enumerate(self._lines()) if number % ROWS_PER_MARK == 0]
        return np.array([*offsets, self.path.stat().st_size])

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Offset and text of each row that is not blank."""
        offset, is_header = 0, self.layout.has_header
        with self.path.open("rb") as file:
            for line in file:
                if text := line.removeprefix(BYTE_ORDER_MARK).strip(b"\r\n "):
                    if not is_header:
                        yield offset, text
                    is_header = False
                offset += len(line)

    def catalog(self) -> pd.DataFrame:
        """Raises UserError for a file that is empty, not UTF-8, or has no pixels."""
        names = self.layout.names
        try:
            rows = [[field.decode() for field in self._fields(line)] for _, line in self._lines()]
        except UnicodeDecodeError as error:
            raise UserError(f"{self.source} is not UTF-8 text.") from error
        table = pd.DataFrame(rows, columns=list(names), dtype="str")
        labels_are_text = self.layout.has_header
        for name in names:
            if name in self.options.extra or name.lower() in ("snr", "redshift", "z") or not labels_are_text:
                table[name] = numbers_if_all(table[name])
        return tidy_catalog(table, self.options.catalog_keys, self.source)

    def _fields(self, line: bytes) -> list[bytes]:
        try:
            return self.layout.split(line)[0]
        except ValueError:  # read() reports the row and why
            return [b""] * len(self.layout.names)

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        return None

    def fingerprint(self) -> str:
        return file_stamp(self.path)

    def settings(self) -> Mapping[str, object]:
        return {"path": str(self.path.resolve()), **self.options.settings()}

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        chunk, block, lines = Chunk(flux=[]), -1, []
        for position, row in enumerate(rows):
            if row // ROWS_PER_MARK != block:
                block = row // ROWS_PER_MARK
                lines = self._block(block)
            try:
                chunk.flux.append(self._spectrum(lines[row % ROWS_PER_MARK]))
            except ValueError as error:
                chunk.flux.append(None)
                chunk.problems[position] = str(error)
        return chunk

    def _block(self, number: int) -> list[bytes]:
        start, end = self.marks[number : number + 2]
        with self.path.open("rb") as file:
            file.seek(start)
            text = file.read(end - start).removeprefix(BYTE_ORDER_MARK)
        return [line for line in (line.strip(b"\r\n ") for line in text.split(b"\n")) if line]

    def _spectrum(self, line: bytes) -> Flux:
        pixels = self.layout.split(line)[1].replace(self.layout.separator, b",")
        numbers = parse_numbers(pixels, blank_is_nan=True)
        present = np.flatnonzero(~np.isnan(numbers))
        if not len(present):
            raise ValueError("no numbers")
        return numbers[None, : present[-1] + 1]

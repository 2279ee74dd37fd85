"""Text matrices, one row per spectrum: CSV with a label column, and the TSV files of the UCR archive."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.arrays.matrix_layout import MatrixLayout, matrix_layout
from spectral.data.readers.arrays.table_file import TableFile
from spectral.data.readers.arrays.wave_axis import Axis, named_axis
from spectral.data.readers.columns import (
    find_columns,
    is_index,
    log_columns,
    numbers_if_all,
    text_columns,
    tidy_catalog,
)
from spectral.data.readers.contract import Chunk, Flux
from spectral.data.readers.csv_rows import NOT_UTF8, CsvRows, is_utf8
from spectral.data.readers.text import parse_numbers
from spectral.errors import UserError

ROWS_PER_MARK = 256  # rows between two remembered places in the file
MOST_DIFFERENT = 10  # labels, all different, in a file without a header are no classes


@dataclass(frozen=True)
class MatrixReader(TableFile):
    """Reads rows of any length: blank or NaN pixels at a row's end are not part of its spectrum, as in the UCR archive.

    Dau et al. 2018, arXiv:1810.07758, section on series of unequal length.
    """

    @cached_property
    def layout(self) -> MatrixLayout:
        return matrix_layout(self.path, self.options, self.source)

    @cached_property
    def marks(self) -> NDArray[np.int64]:
        """Offset in bytes of every ROWS_PER_MARK-th row."""
        rows = self._rows(0)
        return np.array(
            [rows.offset for number, _ in enumerate(self._below_header(rows)) if number % ROWS_PER_MARK == 0]
        )

    def _rows(self, start: int) -> CsvRows:
        return CsvRows(self.path, self.layout.separator, self.source, start)

    def _below_header(self, rows: CsvRows) -> "islice[list[str]]":
        return islice(rows, int(self.layout.has_header), None)

    def catalog(self) -> pd.DataFrame:
        """Raises UserError for a file that is empty, not UTF-8, or whose columns are in doubt."""
        layout, given = self.layout, self.options.catalog_keys
        names = [layout.names[i] for i in layout.other_positions]
        table = pd.DataFrame(self._other_fields(), columns=range(len(names)), dtype="str")
        if layout.has_header and 0 in layout.other_positions:
            self._check_not_transposed(names, table[layout.other_positions.index(0)])
        as_is = text_columns(names, given, self.source) if layout.has_header else {"label"}
        kept = {
            name: table[i] if name in as_is else numbers_if_all(table[i])
            for i, name in enumerate(names)
            if not is_index(name)
        }
        catalog = tidy_catalog(pd.DataFrame(kept, index=table.index), given, self.source)
        if not layout.has_header:
            self._check_labels(catalog["label"])
        log_columns(self.source, names, catalog, given, self._flux_in_words())
        return catalog

    def _other_fields(self) -> list[list[str]]:
        """The fields of each row that are not flux. The marks are found on the way."""
        rows, marks, others = self._rows(0), [], []
        for number, fields in enumerate(self._below_header(rows)):
            if number % ROWS_PER_MARK == 0:
                marks.append(rows.offset)
            others.append(self.layout.others(fields))
        self.__dict__["marks"] = np.array(marks)
        if not all(is_utf8("".join(row)) for row in others):
            raise UserError(f"{self.source} {NOT_UTF8}.")
        return others

    def _flux_in_words(self) -> str:
        pixels = self.layout.pixel_names
        ends = f" {pixels[0]} to {pixels[-1]}" if self.layout.has_header else " after the first, without a header"
        return f"{len(pixels):,} columns{ends}"

    def _check_labels(self, labels: pd.Series) -> None:
        """Numbers that no class can be named by are an index or flux."""
        there = labels.dropna()
        numbers = pd.to_numeric(there, errors="coerce")
        if len(there) and numbers.notna().all() and (numbers % 1 != 0).any():
            what = f"holds numbers such as {there[(numbers % 1 != 0)].iloc[0]}"
        elif len(there) > MOST_DIFFERENT and there.is_unique:
            what = "has another value in every row"
        else:
            return
        raise UserError(
            f"{self.source} has no header, and its first column, which should be the label, {what}: write a header "
            "line that names the columns, such as label,p0,p1,..."
        )

    def _check_not_transposed(self, names: list[str], first: pd.Series) -> None:
        """Raises UserError if the first column is a grid of wavelengths: then rows are not spectra.

        A file with labels is as it should be. An index of rows that were chosen from more is whole and irregular.
        """
        name, roles = self.layout.names[0], find_columns(names, self.options.catalog_keys, self.source)
        if name in (*roles, *self.options.extra) or "label" in roles.values():
            return
        grid = pd.to_numeric(first.str.replace(",", ".", regex=False), errors="coerce").to_numpy(np.float64)
        steps = np.diff(grid)
        if len(steps) < 2 or not ((steps > 0).all() or (steps < 0).all()):
            return
        if (grid % 1 != 0).any() or (np.allclose(steps, steps[0]) and abs(steps[0]) != 1):
            named = f"name '{name}' in data.extra" if name else "name that column"
            raise UserError(
                f"{self.source} has a row for each of {grid[0]:g} to {grid[-1]:g} in its first column: each row must "
                f"be a spectrum, so write the table transposed (pandas: table.T), or {named}."
            )

    @property
    def pixel_names(self) -> tuple[str, ...]:
        return self.layout.pixel_names if self.layout.has_header else ()

    @cached_property
    def axis(self) -> Axis | None:
        return named_axis(self.layout.pixel_names, self.options.wave_unit, self.options.wave_medium, self.source)

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        chunk, block, lines, rows_of_file = Chunk(flux=[]), -1, list[str](), self._rows(0)
        for position, row in enumerate(rows):
            if row // ROWS_PER_MARK != block:
                block = row // ROWS_PER_MARK
                lines = list(islice(self._rows(int(self.marks[block])).lines(), ROWS_PER_MARK))
            try:
                chunk.flux.append(self._spectrum(rows_of_file.fields(lines[row % ROWS_PER_MARK])))
            except ValueError as error:
                chunk.flux.append(None)
                chunk.problems[position] = str(error)
        return chunk

    def _spectrum(self, fields: list[str]) -> Flux:
        pixels = self.layout.pixels(fields).encode("utf-8", "surrogateescape")
        numbers = parse_numbers(pixels, blank_is_nan=True)
        if len(numbers) > pixels.count(b",") + 1:
            raise ValueError("several numbers in one field")
        present = np.flatnonzero(~np.isnan(numbers))
        if not len(present):
            raise ValueError("no numbers")
        return numbers[None, : present[-1] + 1]

"""How a text matrix is written: its separator, whether it has a header, which columns are pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.arrays.pixel_columns import Columns, split_columns
from spectral.data.readers.columns import find_columns
from spectral.data.readers.csv_rows import NOT_UTF8, CsvRows, find_separator, is_utf8
from spectral.errors import UserError

NUM_QUOTED = 20  # characters of a field that are shown
NUM_AXIS = 8  # fewer numbers that rise are no sign of an axis


@dataclass(frozen=True)
class MatrixLayout:
    """How a file is to be read."""

    separator: str
    has_header: bool
    names: tuple[str, ...]  # of all columns
    columns: Columns

    @property
    def pixel_names(self) -> tuple[str, ...]:
        return self.names[self.columns.flux]

    def pixels(self, fields: Sequence[str]) -> str:
        """The numbers of a row's fields between commas, a decimal comma as a point.

        Raises:
            ValueError: the row has another number of fields than the header, or commas next to points in its numbers.
        """
        fields = self._fitting(fields)
        pixels = fields[self.columns.flux] if self.has_header else fields[1:]
        text = ",".join(pixels)
        if text.count(",") == len(pixels) - 1:
            return text
        if "." in text:
            raise ValueError("both commas and points in the numbers of a row")
        return ",".join(field.replace(",", ".") for field in pixels)

    def others(self, fields: Sequence[str]) -> list[str]:
        """The fields of the catalog's columns and of those left out, blank beyond the end of a row."""
        return [fields[i].strip() if i < len(fields) else "" for i in self.other_positions]

    @property
    def other_positions(self) -> list[int]:
        return [*self.columns.catalog, *self.columns.left_out]

    def _fitting(self, fields: Sequence[str]) -> list[str]:
        """A comma may stand at the end of a row. Rows under a header have its length; of others some may be longer."""
        fields = list(fields)
        if len(fields) == len(self.names) + 1 and not fields[-1].strip():
            del fields[-1]
        if self.has_header and len(fields) != len(self.names):
            raise ValueError(f"wrong number of fields: {len(fields)}, the header has {len(self.names)}")
        return fields


def matrix_layout(path: Path, options: ArrayOptions, source: str) -> MatrixLayout:
    """Read off the first two rows. Without a header, the first column is the label, as in the UCR archive.

    Raises:
        UserError: the file is empty or not UTF-8, or whether it has a header, or which columns are pixels, is in doubt.
    """
    separator = find_separator(path, source)
    first, *rest = ([field.strip() for field in row] for row in islice(CsvRows(path, separator, source), 2))
    if not is_utf8("".join(first)):
        raise UserError(f"{source} {NOT_UTF8}.")
    if len(first) == 1:
        raise UserError(
            f"{source} has one column, '{first[0][:NUM_QUOTED]}': each row must be a spectrum, its fields between "
            "commas, semicolons, tabs or spaces."
        )
    if _has_header(first, rest[0] if rest else [], options, source):
        return MatrixLayout(separator, True, tuple(first), split_columns(first, options, source))
    if len(first) < 3:
        raise UserError(
            f"{source} has two columns without a header: each row must be a label and a spectrum, not a wavelength and "
            "its flux."
        )
    names = ["label", *(f"pixel {position}" for position in range(1, len(first)))]
    columns = Columns(list(range(1, len(names))), [0], [])
    return MatrixLayout(separator, False, tuple(names), columns)


def _has_header(fields: list[str], second: list[str], options: ArrayOptions, source: str) -> bool:
    """A line is a header when it has a name that the catalog uses, no number after its first field, or an axis there
    under a first field without a name. Where it might be either, the user is asked."""
    if options.header is not None:
        return options.header
    named = [*options.catalog_keys.values(), *options.extra, *(options.flux_columns or ())]
    if any(name in fields for name in named if name) or find_columns(fields, {}, source):
        return True
    if not any(_is_number(field) for field in fields[1:]):
        return True
    if not _is_axis(fields[1:]):
        return False
    if fields[0] == "":
        return True
    if _num_numbers(fields[1:]) >= NUM_AXIS and not _is_axis(second[1:]):
        raise UserError(
            f"{source} begins with numbers that rise or fall, as names of pixels do: data.header=true takes its first "
            "line for a header, data.header=false for a spectrum."
        )
    return False


def _is_axis(fields: Sequence[str]) -> bool:
    """Whether the numbers among some fields, all of them or nearly, strictly rise or fall."""
    steps = np.diff(_numbers(fields))
    return _num_numbers(fields) >= max(3, 0.9 * len(fields)) and bool((steps > 0).all() or (steps < 0).all())


def _num_numbers(fields: Sequence[str]) -> int:
    return len(_numbers(fields))


def _numbers(fields: Sequence[str]) -> NDArray[np.float64]:
    points = (field.replace(",", ".") for field in fields)
    numbers = [float(field) for field in points if field and _is_number(field)]
    return np.array([number for number in numbers if np.isfinite(number)], dtype=np.float64)


def _is_number(field: str) -> bool:
    try:
        float(field.replace(",", ".") or "nan")
    except ValueError:
        return False
    return True

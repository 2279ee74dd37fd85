"""How a text matrix is written: its separator, whether it has a header, which columns are pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.arrays.pixel_columns import split_columns
from spectral.data.readers.columns import find_columns
from spectral.errors import UserError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class MatrixLayout:
    """Each row has `before` catalog fields, then pixels, then `after` catalog fields."""

    separator: bytes
    has_header: bool
    names: tuple[str, ...]  # of the catalog fields
    before: int
    after: int

    def split(self, line: bytes) -> tuple[list[bytes], bytes]:
        """The catalog fields and the text of the pixels; ValueError where the line has too few fields."""
        *first, pixels = line.split(self.separator, self.before)
        last: list[bytes] = []
        if self.after:
            pixels, *last = pixels.rsplit(self.separator, self.after)
        if len(first) + len(last) < self.before + self.after:
            raise ValueError(f"too few fields: {len(first) + len(last) + 1}")
        return [field.strip(b' "') for field in first + last], pixels


def matrix_layout(path: Path, options: ArrayOptions, source: str) -> MatrixLayout:
    """Read off the first line. The separator is a tab where there is one, else a comma.

    The line is a header when it has a name that the catalog uses, or no number after the first field. Without one, the
    first column is the label, as in the UCR archive.

    Raises:
        UserError: the file is empty or not UTF-8, or `split_columns` finds no pixels.
    """
    with path.open("rb") as file:
        line = file.readline().removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n")
    separator = b"\t" if b"\t" in line else b","
    try:
        fields = [field.strip(' "') for field in line.decode().split(separator.decode())]
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not UTF-8 text.") from error
    if fields == [""]:
        raise UserError(f"{source} is empty, or begins with an empty line.")
    has_header = _is_header(fields, options, source)
    names = fields if has_header else ["label", *(f"pixel {position}" for position in range(1, len(fields)))]
    pixels, catalog = split_columns(names, options, source)
    before = sum(position < pixels[0] for position in catalog)
    return MatrixLayout(separator, has_header, tuple(names[p] for p in catalog), before, len(catalog) - before)


def _is_header(fields: Sequence[str], options: ArrayOptions, source: str) -> bool:
    named = [name for name in (*options.catalog_keys.values(), *options.extra) if name]
    if any(name in fields for name in named) or find_columns(fields, {}, source):
        return True
    return not any(_is_number(field) for field in fields[1:])


def _is_number(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True

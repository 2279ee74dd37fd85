"""Rows of a CSV file: the one parser of matrices, labels and indexes.

Rows are split by Python's csv module. Arrow's reader is quicker, but refuses a whole file for one row of another length
or one word among its numbers, and a survey has such rows: they are reported, each with its place.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from spectral.errors import UserError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
WHITE_SPACE = " "  # as a separator: any number of spaces and tabs
BLOCK_CHARACTERS = 2**20


class CsvRows:
    """Iterates over the rows that are not blank, as lists of fields without the space around them.

    Bytes that are not UTF-8 become surrogates, as by errors="surrogateescape": `is_utf8` finds them.

    Args:
        path: the file.
        separator: tab, semicolon, comma, or WHITE_SPACE.
        source: option and file for the error sentence, such as "data.index=train.csv".
        start: offset in bytes of the first row to read.

    Attributes:
        offset: in bytes, of the row that was given last.
    """

    def __init__(self, path: Path, separator: str, source: str, start: int = 0) -> None:
        self.path, self.separator, self.source, self.start = path, separator, source, start
        self.offset = start

    def __iter__(self) -> Iterator[list[str]]:
        with self.path.open("rb") as file:
            lines = _Lines(file, self.start, self.separator)
            rows = csv.reader(lines, delimiter=self.separator, skipinitialspace=self.separator != WHITE_SPACE)
            number = 0
            while (fields := self._next(rows, lines, number)) is not None:
                fields = [field.strip() for field in fields]
                if fields not in ([], [""]):
                    number += 1
                    yield fields

    def _next(self, rows: Iterator[list[str]], lines: "_Lines", number: int) -> list[str] | None:
        """The fields of one more row, or None after the last."""
        self.offset = lines.offset
        try:
            fields = next(rows, None)
        except csv.Error as error:
            raise UserError(f"{self.source} is not a CSV table: {error} after row {number}.") from error
        if fields and any("\n" in field for field in fields):
            raise UserError(f"{self.source} has a quote that is not closed in its line, after row {number}.")
        return fields


class _Lines:
    """Text lines, and the offset in bytes of the next."""

    def __init__(self, file: BinaryIO, start: int, separator: str) -> None:
        self.file, self.offset, self.separator = file, start, separator
        file.seek(start)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self.file.readline()
        if not raw:
            raise StopIteration
        line = (raw.removeprefix(BYTE_ORDER_MARK) if self.offset == 0 else raw).decode("utf-8", "surrogateescape")
        self.offset += len(raw)
        return WHITE_SPACE.join(line.split()) if self.separator == WHITE_SPACE else line


def find_separator(path: Path, source: str) -> str:
    """The separator of a table, from its first line that is not blank.

    A tab counts before a semicolon, and a semicolon before a comma, which may then be a decimal comma.

    Raises:
        UserError: the file is empty, or its first line is not UTF-8.
    """
    with path.open("rb") as file:
        raw = next((line for line in file if line.removeprefix(BYTE_ORDER_MARK).strip()), b"")
    try:
        line = re.sub(r'"[^"]*"', "", raw.decode("utf-8-sig")).strip("\r\n ")
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not UTF-8 text.") from error
    if not raw:
        raise UserError(f"{source} is empty.")
    if "\t" in line:
        return "\t"
    if ";" in line and line.count(";") >= line.count(",") - 1:
        return ";"
    return WHITE_SPACE if "," not in line and len(line.split()) > 1 else ","


def is_utf8(text: str) -> bool:
    """Whether text that CsvRows gave was UTF-8 in the file."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)

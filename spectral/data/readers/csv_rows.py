"""Rows of a CSV file: the one parser of matrices, labels and indexes.

Rows are split by Python's csv module. Arrow's reader is quicker, but refuses a whole file for one row of another length
or one word among its numbers, and a survey has such rows: they are reported, each with its place.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from spectral.errors import UserError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
WHITE_SPACE = " "  # as a separator: any number of spaces and tabs
BLOCK_CHARACTERS = 2**20
LONGEST_QUOTE = 20  # characters of a line that are shown
NOT_UTF8 = "is not UTF-8 text: save it as CSV UTF-8"
EXCEL_LINE = re.compile(r"sep=.", re.IGNORECASE)


class CsvRows:
    """Iterates over the rows that are not blank, as lists of fields. A row is a line.

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
        return map(self.fields, self.lines())

    def lines(self) -> Iterator[str]:
        """The rows as they stand in the file, for `fields`: a list of many rows' fields takes much memory."""
        offset = self.start
        with self.path.open("rb") as file:
            file.seek(offset)
            for raw in file:
                line = (raw.removeprefix(BYTE_ORDER_MARK) if offset == 0 else raw).decode("utf-8", "surrogateescape")
                if line.strip("\r\n "):
                    self.offset = offset
                    yield line
                offset += len(raw)

    def fields(self, line: str) -> list[str]:
        """Raises UserError for a quote that is not closed in the line."""
        line = WHITE_SPACE.join(line.split()) if self.separator == WHITE_SPACE else line.rstrip("\r\n")
        if '"' not in line:
            return line.split(self.separator)
        try:
            # With the end of the line, which a quote that is not closed would make part of a field.
            (fields,) = csv.reader(
                [line + "\n"], delimiter=self.separator, skipinitialspace=self.separator != WHITE_SPACE
            )
        except csv.Error as error:
            raise UserError(
                f"{self.source} is not a CSV table: {error} in the line {line[:LONGEST_QUOTE]}..."
            ) from error
        if "\n" in fields[-1]:
            raise UserError(f"{self.source} has a quote that is not closed in the line {line[:LONGEST_QUOTE]}...")
        return fields


def find_separator(path: Path, source: str) -> str:
    """The separator of a table, from its first line that is not blank.

    A tab counts before a semicolon, and a semicolon before a comma, which may then be a decimal comma.

    Raises:
        UserError: the file is empty, or its first line is not UTF-8, or Excel's name of the separator.
    """
    with path.open("rb") as file:
        raw = next((line for line in file if line.removeprefix(BYTE_ORDER_MARK).strip()), b"")
    try:
        line = re.sub(r'"[^"]*"', "", raw.decode("utf-8-sig")).strip("\r\n ")
    except UnicodeDecodeError as error:
        raise UserError(f"{source} {NOT_UTF8}.") from error
    if EXCEL_LINE.fullmatch(line):
        raise UserError(f"{source} begins with the line '{line}', which is Excel's and not part of a table: delete it.")
    if not raw:
        raise UserError(f"{source} is empty.")
    if b"\r" in raw.rstrip(b"\r\n"):
        raise UserError(f"{source} has lines that end in a carriage return alone: write them with a newline.")
    if "\t" in line:
        return "\t"
    if ";" in line and line.count(";") >= line.count(",") - 1:
        return ";"
    return WHITE_SPACE if "," not in line and len(line.split()) > 1 else ","


def is_utf8(text: str) -> bool:
    """Whether text that CsvRows gave was UTF-8 in the file."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)

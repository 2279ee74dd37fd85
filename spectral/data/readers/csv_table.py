"""CSV tables of ids, labels and what else a source says of its spectra."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from spectral.data.readers.columns import find_columns
from spectral.errors import UserError

TEXT_ROLES = ("id", "label", "split", "group")
BLOCK_CHARACTERS = 2**20
LONGEST_REASON = 120  # characters of Arrow's reason, which quotes the row


def read_table(path: Path, given: Mapping[str, str | None], source: str) -> pd.DataFrame:
    """A CSV table with a header row; ids, labels, splits and groups stay the text they are ("007", "1.0").

    Args:
        path: the file, in UTF-8.
        given: see `find_columns`.
        source: option and file for the error sentence, such as "data.index=train.csv".

    Raises:
        UserError: the file is empty, is not UTF-8, has rows of other lengths than its header, or lacks a column that
            the user named.
    """
    _check_utf8(path, source)
    try:
        with csv.open_csv(path) as stream:
            names = stream.schema.names
        roles = find_columns(names, given, source)
        as_is = {name: pa.string() for name, role in roles.items() if role in TEXT_ROLES}
        table: pd.DataFrame = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=as_is)).to_pandas()
        return table
    except pa.ArrowInvalid as error:
        raise UserError(f"{source} is not a CSV table: {_short(str(error))}.") from error


def _check_utf8(path: Path, source: str) -> None:
    # Arrow takes a column that is not UTF-8 for one of bytes, and fails with a sentence of its own for others.
    try:
        with path.open(encoding="utf-8") as text:
            while text.read(BLOCK_CHARACTERS):
                pass
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not UTF-8 text.") from error


def _short(reason: str) -> str:
    line = reason.splitlines()[0].rstrip(".")
    return line if len(line) <= LONGEST_REASON else line[:LONGEST_REASON] + "..."

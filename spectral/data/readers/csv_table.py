"""CSV tables of ids, labels and what else a source says of its spectra."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from spectral.data.readers.columns import check_names, is_index, numbers_if_all, text_columns
from spectral.data.readers.csv_rows import BLOCK_CHARACTERS, NOT_UTF8, CsvRows, find_separator
from spectral.errors import UserError


def read_table(path: Path, given: Mapping[str, str | None], source: str) -> pd.DataFrame:
    """A CSV table with a header row; ids, labels, splits and groups stay the text they are ("007", "1.0").

    Fields stand between commas, semicolons, tabs or white space. Columns without a name are left out.

    Args:
        path: the file, in UTF-8.
        given: see `find_columns`.
        source: option and file for the error sentence, such as "data.index=train.csv".

    Raises:
        UserError: the file is empty, is not UTF-8, has rows of other lengths than its header or a column twice, or
            lacks a column that the user named.
    """
    _check_utf8(path, source)
    rows = iter(CsvRows(path, find_separator(path, source), source))
    names = [name.strip() for name in next(rows)]
    check_names(names, source)
    as_is = text_columns(names, given, source)
    columns: list[list[str]] = [[] for _ in names]
    for number, fields in enumerate(rows, 1):
        if len(fields) != len(names):
            counts = f"row {number} has {len(fields)} fields, its header {len(names)}"
            raise UserError(f"{source} is not a CSV table: {counts}.")
        for column, field in zip(columns, fields, strict=True):
            column.append(field.strip())
    kept = {name: pd.Series(column, dtype="str") for name, column in zip(names, columns, strict=True)}
    return pd.DataFrame(
        {n: column if n in as_is else numbers_if_all(column) for n, column in kept.items() if not is_index(n)}
    )


def _check_utf8(path: Path, source: str) -> None:
    try:
        with path.open(encoding="utf-8") as text:
            while text.read(BLOCK_CHARACTERS):
                pass
    except UnicodeDecodeError as error:
        raise UserError(f"{source} {NOT_UTF8}.") from error

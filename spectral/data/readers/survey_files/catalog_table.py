"""Catalogs of surveys as tables: CSV (also with `|`, also gzipped), FITS and Parquet, read column by column."""

import csv
import gzip
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TextIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from pandas.api.types import is_integer_dtype, is_numeric_dtype

from spectral.data.readers.columns import EXACT_BELOW, NESTED, check_names, is_index, numbers_if_all, text_columns
from spectral.data.readers.paths import existing_file
from spectral.data.readers.survey_files.fits_columns import exact_column, single_columns, table_columns
from spectral.data.readers.survey_files.fits_file import open_fits
from spectral.data.readers.survey_files.layout import UnreadableError
from spectral.errors import UserError

FITS_ENDINGS = (".fits", ".fit", ".fits.gz", ".fit.gz")
SEPARATORS = "|,;\t"
BLOCK_BYTES = 2**24  # of a FITS table, in memory at a time


def read_catalog_table(path: str, given: Mapping[str, str | None], key: str = "data.catalog") -> pd.DataFrame:
    """The columns of a catalog that hold one value per row; ids, labels and groups stay the text they are.

    `attrs[NESTED]` names the others, if there are any.

    Args:
        given: config option such as "label_key" -> column, as of `find_columns`; the one of "file_key" keeps the text
            that numbers would not give back, such as 0012.

    Raises:
        UserError: the file is not there, of no known kind, not whole, or has a column twice.
    """
    file, source = existing_file(path, key), f"{key}={path}"
    name = file.name.lower()
    try:
        if name.endswith(FITS_ENDINGS):
            return _from_fits(file, source)
        if name.endswith(".parquet"):
            return _from_parquet(file, source)
        if name.endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".dat")):
            return _from_text(file, given, source)
    except (UnreadableError, pa.ArrowInvalid, OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"{source} cannot be read: {' '.join(str(error).split())}.") from error
    raise UserError(
        f"{source} is of no known kind: .csv, .tsv, .fits and .parquet are read, also .csv.gz and .fits.gz."
    )


def _from_text(path: Path, given: Mapping[str, str | None], source: str) -> pd.DataFrame:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as text:
        header, num_before = _header(text)
    if not header.strip():
        raise UserError(f"{source} has no header line.")
    separator = max(SEPARATORS, key=header.count)
    names = [name.strip() for name in _cells(header, separator)]
    check_names(names, source)
    as_is = text_columns(names, {key: column for key, column in given.items() if key != "file_key"}, source)

    def read(texts: Collection[str], columns: list[str]) -> pa.Table:
        return pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(column_names=names, skip_rows=1 + num_before),
            parse_options=pa.csv.ParseOptions(delimiter=separator),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in texts},
                null_values=["", "null", "NULL", "nan", "NaN", "\\N"],
                strings_can_be_null=True,
                include_columns=columns,
            ),
        )

    frame = _frame(read(as_is, [name for name in names if not is_index(name)]))
    if large := [str(name) for name, values in frame.select_dtypes("float64").items() if _may_be_inexact(values)]:
        # Arrow knows whole numbers of 63 bits, and makes floats of columns that hold larger ones.
        numbers = {name: numbers_if_all(text.fillna("")) for name, text in read(large, large).to_pandas().items()}
        frame = frame.assign(**{n: column for n, column in numbers.items() if is_integer_dtype(column.dtype)})
    name = given.get("file_key")
    if name is not None and name in frame and is_numeric_dtype(frame[name].dtype):
        text, is_there = read([name], [name]).to_pandas()[name].astype("str").str.strip(), frame[name].notna()
        if text[is_there].tolist() != frame[name][is_there].astype("str").tolist():
            frame[name] = text.where(is_there)
    return frame


def _may_be_inexact(values: pd.Series) -> bool:
    """Whether floats may stand for whole numbers of 64 bits that no float holds."""
    there = values.dropna()
    return bool((there.abs() >= EXACT_BELOW).any() and (there.abs() <= 2**64).all() and (there % 1 == 0).all())


def _header(text: TextIO) -> tuple[str, int]:
    """The line of names, and how many comments come before it, such as #Table1 of SkyServer's searches.

    Names may begin with # too: then there are as many as values in the first line that does not.
    """
    comments, line = list[str](), text.readline().rstrip("\r\n")
    while line.startswith("#"):
        comments.append(line)
        line = text.readline().rstrip("\r\n")
    for num, comment in reversed([*enumerate(comments)]):  # names stand next to the rows
        separator = max(SEPARATORS, key=comment.count)
        if separator in comment and (not line or len(_cells(comment, separator)) == len(_cells(line, separator))):
            return comment, num
    return (line, len(comments)) if set(SEPARATORS) & set(line) else ([*comments, line][0], 0)


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _from_parquet(path: Path, source: str) -> pd.DataFrame:
    schema = pa.parquet.read_schema(path)
    flat = [f.name for f in schema if not (pa.types.is_nested(f.type) or is_index(f.name))]
    check_names(flat, source)
    nested = [f.name for f in schema if pa.types.is_nested(f.type)]
    return _with_nested(_frame(pa.parquet.read_table(path, columns=flat)), nested)


def _with_nested(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    frame.attrs |= {NESTED: names} if names else {}
    return frame


def _frame(table: pa.Table) -> pd.DataFrame:
    """As pandas, whole numbers exact where some are missing."""
    exact = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype(), pa.int32(): pd.Int32Dtype()}
    missing = {field.type for field, column in zip(table.schema, table.columns, strict=True) if column.null_count}
    frame: pd.DataFrame = table.to_pandas(types_mapper={kind: exact[kind] for kind in missing & set(exact)}.get)
    return frame


def _from_fits(path: Path, source: str) -> pd.DataFrame:
    """Read in blocks of rows, since the columns with several values a row may be most of a file."""
    with open_fits(path) as hdus:
        table = next((hdu for hdu in hdus if hdu.is_table), None)
        if table is None:
            raise UserError(f"{source} holds no table.")
        check_names(table.columns.names, source)
        single = {name.lower(): name for name in single_columns(table.columns)}
        step = max(1, BLOCK_BYTES // table.header.axes[0])
        starts = range(0, max(1, table.num_rows), step)
        parts: dict[str, list[pd.Series]] = {name: [] for name in single}
        for at in starts:
            for name, values in table_columns(table, [*single], at, at + step, masks_missing=True).items():
                parts[name].append(pd.Series(exact_column(values)))
    # Joined column by column: all at once would take the memory of the table twice.
    columns = {single[name]: pd.concat(parts.pop(name), ignore_index=True) for name in single}
    nested = [name for name in table.columns.names if name not in single.values()]
    return _with_nested(pd.DataFrame(columns, copy=False), nested)

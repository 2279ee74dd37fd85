"""Columns of binary tables in FITS files, as astropy decodes them, some rows at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_hdu import Hdu, decoding
from spectral.data.readers.survey_files.layout import UnreadableError

AS_STORED = "BIJKEDCM"  # TFORM's letters of numbers that need no decoding unless they are scaled
TEXT, POINTERS = "A", "PQ"


def has_own_lengths(column: fits.Column) -> bool:
    """Whether each cell of a column has a length of its own."""
    return _letter(column) in POINTERS


def single_columns(columns: fits.ColDefs) -> list[str]:
    """The columns with one number or text per row."""
    return [c.name for c in columns if _letter(c) not in "X" + POINTERS and not columns.dtype[c.name].shape]


def table_columns(
    hdu: Hdu, names: Sequence[str], start: int = 0, stop: int | None = None, masks_missing: bool = False
) -> dict[str, NDArray[Any]]:
    """Columns of a binary table in native byte order, by their names in lower case; those that are absent are left out.

    Text is stripped of blanks at both ends. Whole numbers of which some are missing are floats, with NaN for these.

    Args:
        start, stop: rows to read; all by default.
        masks_missing: whole numbers of which some are missing stay whole numbers, in a masked array.

    Raises:
        UnreadableError: the HDU is no table, shorter than its header says, or has cells of their own lengths in one of
            these columns.
    """
    columns = hdu.columns
    there = {column.name.lower(): column for column in reversed(list(columns))}
    wanted = {name: there[name] for name in names if name in there}
    stop = hdu.num_rows if stop is None else min(stop, hdu.num_rows)
    row_bytes, num = columns.dtype.itemsize, max(0, stop - start)
    raw = hdu.read(start * row_bytes, num * row_bytes)
    if own := [column.name for column in wanted.values() if has_own_lengths(column)]:
        raise UnreadableError(f"wrong layout: {hdu} has cells of their own lengths in {own[0]}")
    encoded = [column.name for column in wanted.values() if _needs_decoding(column)]
    with decoding(hdu):
        stored = np.frombuffer(raw, columns.dtype.newbyteorder(">"), num) if raw else np.zeros(0, columns.dtype)
        decoded = hdu.decoded(raw, num) if encoded else stored
        found = {name: (decoded if c.name in encoded else stored)[c.name] for name, c in wanted.items()}
        return {name: _with_missing(_native(values), wanted[name], masks_missing) for name, values in found.items()}


def exact_column(values: NDArray[Any]) -> Any:
    """A column as pandas takes it: masked whole numbers as its own type for them, since it would make them floats."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    return pd.arrays.IntegerArray(np.asarray(values.data), np.ma.getmaskarray(values))


def _letter(column: fits.Column) -> str:
    return str(column.format).lstrip("0123456789 ")[:1]


def _needs_decoding(column: fits.Column) -> bool:
    is_scaled = column.bscale not in (None, "", 1) or column.bzero not in (None, "", 0)
    return _letter(column) not in AS_STORED + TEXT or (_letter(column) != TEXT and is_scaled)


def _with_missing(values: NDArray[Any], column: fits.Column, masks_missing: bool) -> NDArray[Any]:
    """NaN in place of TNULL, or a mask: astropy writes 999999 for a whole number that is missing."""
    if values.dtype.kind not in "iu" or not isinstance(column.null, int):
        return values
    missing = values == column.null + int(column.bzero or 0)
    if not missing.any():
        return values
    return np.ma.MaskedArray(values, missing) if masks_missing else np.where(missing, np.nan, values)


def _native(values: NDArray[Any]) -> NDArray[Any]:
    values = np.asarray(values)
    if values.dtype.kind == "S":
        return np.char.strip(np.char.decode(values, "latin-1"))
    return np.char.strip(values) if values.dtype.kind == "U" else values.astype(values.dtype.newbyteorder("="))

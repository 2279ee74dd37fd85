"""Columns of catalogs that say yes or no of a row, or hold 0 for no: warnings of redshifts, primary rows."""

from collections.abc import Iterable

import pandas as pd

from spectral.errors import UserError

WARNINGS = ("zwarn", "zwarning")  # columns of a redshift's warning flags, in lower case
TRUTHS = {"true": "1", "t": "1", "false": "0", "f": "0"}


def warnings_in(names: Iterable[object]) -> list[str]:
    """The columns of a redshift's warning flags, whatever their capitals."""
    return [str(name) for name in names if str(name).lower() in WARNINGS]


def is_set(column: pd.Series, source: str) -> pd.Series:
    """Whether each value [N] is a number other than 0, or true, also as text: true, t, false and f in any capitals.

    What is missing is not set.

    Args:
        source: option and file for the error sentence, such as "data.catalog=zall.csv".

    Raises:
        UserError: a text is neither.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):  # truth values too
        return column.ne(0).fillna(False).astype(bool) & column.notna()
    text = column.astype("string").str.strip().str.lower()
    text = text.mask(text.isin(["", "nan"])).replace(TRUTHS)
    numbers = pd.to_numeric(text, errors="coerce")
    if (neither := text.notna() & numbers.isna()).any():
        raise UserError(
            f"{source} has '{column[neither].iloc[0]}' in '{column.name}': a number, true or false (T or F) is allowed."
        )
    return numbers.fillna(0).ne(0).astype(bool)

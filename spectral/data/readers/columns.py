"""From the names that sources use to the catalog's own: id, label, split, group, snr, redshift."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from spectral.errors import UserError, nearest

# In order of preference, in lower case; a source's capitals do not matter.
USUAL_NAMES = {
    "id": ("id",),
    "label": ("label", "type", "class", "target", "y"),
    "split": ("split",),
    "group": ("group",),
    "snr": ("snr",),
    "redshift": ("redshift", "z"),
}


def find_columns(names: Iterable[str], given: Mapping[str, str | None], source: str) -> dict[str, str]:
    """Which of a source's columns are the catalog's.

    Args:
        names: the source's columns.
        given: config option such as "label_key" -> the column that the user named for it, or None for the usual names.
        source: option and file for the error sentence, such as "data.index=train.csv".

    Returns:
        source column -> catalog column.

    Raises:
        UserError: a column that the user named is not there.
    """
    names = list(names)
    lower = {name.lower(): name for name in reversed(names)}
    found = {}
    for role, usual in USUAL_NAMES.items():
        if wanted := given.get(f"{role}_key"):
            if wanted not in names:
                raise UserError(f"{source} has no '{wanted}' (data.{role}_key): {nearest(wanted, names)}.")
            found[wanted] = role
        elif free := [lower[name] for name in usual if name in lower and lower[name] not in found]:
            found[free[0]] = role
    return found


def tidy_catalog(table: pd.DataFrame, given: Mapping[str, str | None], source: str) -> pd.DataFrame:
    """The catalog that a reader returns, of a table with the source's columns.

    Rows without an id column are numbered from 0. Labels that are missing, or all of them, stay missing.

    Raises:
        UserError: the table is empty, a column that the user named is not there, or an id is empty or there twice.
    """
    if not len(table):
        raise UserError(f"{source} has no rows.")
    found = find_columns(table.columns, given, source)
    clashing = {role: f"{role}_in_source" for role in found.values() if role in table.columns and role not in found}
    catalog = table.rename(columns={**clashing, **found})
    if "id" not in catalog:
        catalog["id"] = np.arange(len(catalog))
    if "label" not in catalog:
        catalog["label"] = None
    for name in {"id", "label", "split", "group"} & set(catalog.columns):
        catalog[name] = as_text(catalog[name])
    _check_ids(catalog["id"], source)
    first = ["id", "label"]
    return catalog[first + [name for name in catalog.columns if name not in first]].reset_index(drop=True)


def as_text(values: Any) -> pd.Series:
    """Text of ids and labels: 1.0 is '1', bytes are decoded, blank and nan are missing."""
    series = pd.Series(values)
    if pd.api.types.is_float_dtype(series.dtype) and (series.dropna() % 1 == 0).all():
        series = series.astype("Int64")
    if series.dtype == object:
        series = series.map(lambda value: value.decode() if isinstance(value, bytes) else value)
    text = series.astype("string").str.strip()
    return text.mask(text.str.lower().isin(["", "nan"])).astype("str")


def numbers_if_all(values: pd.Series) -> pd.Series:
    """Numbers where each text that is not blank is one, else the text."""
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers if (numbers.notna() | values.str.lower().isin(["", "nan"])).all() else values


def _check_ids(ids: pd.Series, source: str) -> None:
    if ids.isna().any():
        raise UserError(f"{source} has no id in row {int(ids.isna().to_numpy().argmax()) + 1}.")
    if (twice := ids.duplicated()).any():
        raise UserError(f"{source} has the id '{ids[twice].iloc[0]}' more than once.")

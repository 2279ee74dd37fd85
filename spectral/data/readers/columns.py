"""From the names that sources use to the catalog's own: id, label, split, group, snr, redshift."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spectral.errors import UserError, did_you_mean

log = logging.getLogger(__name__)

# In order of preference, in lower case; a source's capitals do not matter.
USUAL_NAMES = {
    "id": ("id",),
    "label": ("label", "type", "class", "target", "y"),
    "split": ("split",),
    "group": ("group",),
    "snr": ("snr",),
    "redshift": ("redshift", "z"),
}
# Taken for ids only if no two rows share one: such a name may also be that of an object with several spectra.
POSSIBLE_IDS = ("sample_id", "spec_id", "spectrum_id", "obs_id", "obsid", "specobjid")
TEXT_ROLES = ("id", "label", "split", "group")
NUMBER_ROLES = ("snr", "redshift")
NUMBERED = "row_numbers_as_ids"  # in a catalog's attrs: its rows had no ids of their own
NESTED = "nested"  # in a table's attrs: its columns with several values a row, which were not read
SHORT_ID = "short_id"  # column of a catalog: the id that a spectrum had before another file had it too
NUM_SHOWN = 12  # names in a sentence
EXACT_BELOW = 2**53  # whole numbers that every float64 holds
INDEX_NAME = re.compile(r"(unnamed: ?\d+|__index_level_\d+__|)", re.IGNORECASE)  # of an index, as pandas writes it
WHOLE = r"[+-]?\d+"
PADDED = r"[+-]?0\d+"  # as in an identifier of a fixed width


def find_columns(names: Iterable[str], given: Mapping[str, str | None], source: str) -> dict[str, str]:
    """Which of a source's columns are the catalog's.

    Args:
        names: the source's columns.
        given: config option such as "label_key" -> the column that the user named for it, or None for the usual names.
            What is named for one is not taken for another.
        source: option and file for the error sentence, such as "data.index=train.csv".

    Returns:
        source column -> catalog column.

    Raises:
        UserError: a column that the user named is not there.
    """
    names = list(names)
    lower = {name.lower(): name for name in reversed(names)}
    found, named = {}, set(given.values())
    for role, usual in USUAL_NAMES.items():
        if wanted := given.get(f"{role}_key"):
            if wanted not in names:
                raise UserError(f"{source} has no '{wanted}' (data.{role}_key): {among(wanted, names)}.")
            found[wanted] = role
        elif free := [lower[name] for name in usual if name in lower and lower[name] not in {*found, *named}]:
            found[free[0]] = role
    return found


def text_columns(names: Iterable[str], given: Mapping[str, str | None], source: str) -> set[str]:
    """The columns that stay the text they are."""
    names = list(names)
    roles = find_columns(names, given, source)
    possible = {name for name in names if name.lower() in POSSIBLE_IDS}
    return possible | {name for name, role in roles.items() if role in TEXT_ROLES}


def check_names(names: Sequence[str], source: str) -> None:
    """Raises UserError if two columns have one name, since nobody can say which of them is meant."""
    twice = [name for name, num in Counter(names).items() if num > 1 and not is_index(name)]
    if twice:
        raise UserError(f"{source} has the column '{twice[0]}' more than once: names must differ.")


def is_index(name: str) -> bool:
    """Whether a column is an index that pandas wrote: it has no name, or one such as 'Unnamed: 0'."""
    return INDEX_NAME.fullmatch(name) is not None


def among(wanted: str, names: Iterable[str]) -> str:
    """The tail of an error sentence: the closest of a source's columns, and the first of them."""
    return f"{did_you_mean(wanted, names)}it has {shortened(names)}"


def shortened(names: Iterable[str]) -> str:
    """Names for a sentence, of many only the first."""
    names = list(names)
    rest = f" and {len(names) - NUM_SHOWN:,} more" if len(names) > NUM_SHOWN else ""
    return (", ".join(names[:NUM_SHOWN]) or "nothing") + rest


def tidy_catalog(table: pd.DataFrame, given: Mapping[str, str | None], source: str) -> pd.DataFrame:
    """The catalog that a reader returns, of a table with the source's columns.

    Rows without an id column are numbered from 0, and `attrs[NUMBERED]` is then true. Labels that are missing, or all
    of them, stay missing.

    Raises:
        UserError: the table is empty, a column that the user named is not there, or an id is empty or there twice.
    """
    if not len(table):
        raise UserError(f"{source} has no rows.")
    found = _with_possible_id(table, find_columns(table.columns, given, source))
    clashing = {role: f"{role}_in_source" for role in found.values() if role in table.columns and role not in found}
    catalog = table.rename(columns={**clashing, **found})
    names = {role: name for name, role in found.items()}
    numbered = "id" not in catalog
    if numbered:
        catalog["id"] = np.arange(len(catalog))
    if "label" not in catalog:
        catalog["label"] = None
    for name in {*TEXT_ROLES} & set(catalog.columns):
        catalog[name] = as_text(catalog[name], f"'{names.get(name, name)}' in {source}")
    for name in {*NUMBER_ROLES} & set(catalog.columns):
        if pd.api.types.is_numeric_dtype(catalog[name].dtype):
            catalog[name] = catalog[name].astype("float64")
    catalog["label"] = whole_numbers(catalog["label"])
    if not numbered:  # the check of a million ids takes 40 MB
        check_ids(catalog["id"], source)
    first = ["id", "label"]
    catalog = catalog[first + [name for name in catalog.columns if name not in first]].reset_index(drop=True)
    catalog.attrs[NUMBERED] = numbered
    return catalog


def set_apart(table: pd.DataFrame, added: Collection[str]) -> pd.DataFrame:
    """A source's table to which columns are to be added: one of its own that is called so becomes NAME_in_source."""
    return table.rename(columns=names_apart(table.columns, added))


def names_apart(names: Iterable[str], added: Collection[str]) -> dict[str, str]:
    """The name of each of a source's columns next to those that are added, see `set_apart`; no two are the same."""
    names = list(names)
    taken = {*names, *added}
    apart: dict[str, str] = {}
    for name in names:
        other = name
        if name in added:
            while other in taken:
                other = f"{other}_in_source"
            taken.add(other)
        apart[name] = other
    return apart


def log_columns(
    source: str,
    names: Iterable[str],
    catalog: pd.DataFrame,
    given: Mapping[str, str | None],
    flux: str = "",
    nested: Iterable[str] = (),
) -> None:
    """Log in one line what each of a source's columns was taken for, and warn if the label could be another of them.

    Args:
        names: the source's columns, but for those of flux.
        catalog: what `tidy_catalog` made of them.
        flux: what the spectra were taken from, in words.
        nested: the source's columns with several values a row, which are not read.
    """
    names = list(names)
    roles = find_columns(names, given, source)
    if "id" not in roles.values() and not catalog.attrs.get(NUMBERED, False):
        possible = [name for name in names if name.lower() in POSSIBLE_IDS and name not in catalog.columns]
        roles |= dict.fromkeys(possible[:1], "id")
    others = [name for name in names if name not in roles and name in catalog.columns]
    left_out = [name or "a column without a name" for name in names if name not in roles and name not in others]
    left_out += [f"{name} (several values a row)" for name in nested]
    taken = [f"flux: {flux}"] if flux else []
    taken += [
        f"{role}: {name}" for name, role in sorted(roles.items(), key=lambda pair: list(USUAL_NAMES).index(pair[1]))
    ]
    taken += [] if "label" in roles.values() else ["label: none"]
    taken += [] if "id" in roles.values() else ["id: none, rows are numbered"]
    taken += [f"other columns: {shortened(others)}"] if others else []
    taken += [f"left out: {shortened(left_out)}"] if left_out else []
    log.info("%s: %s.", source, ", ".join(taken))
    if given.get("label_key") is None and "label" in roles.values():
        _warn_of_other_labels(names, roles, source)


def _warn_of_other_labels(names: Sequence[str], roles: Mapping[str, str], source: str) -> None:
    """A y next to an x is a coordinate rather than a label."""
    label = next(name for name, role in roles.items() if role == "label")
    lower = {name.lower() for name in names}
    usual = [name for name in USUAL_NAMES["label"] if not (name == "y" and "x" in lower)]
    others = [name for name in names if name.lower() in usual and name not in roles]
    if others:
        log.warning(
            "%s: %s is taken for the label, %s could be it too: data.label_key=%s.", source, label, others[0], others[0]
        )
    elif label.lower() not in usual:
        log.warning("%s: y is taken for the label, and stands next to x: data.label_key=NAME names another.", source)


def _with_possible_id(table: pd.DataFrame, found: dict[str, str]) -> dict[str, str]:
    if "id" in found.values():
        return found
    for usual in POSSIBLE_IDS:
        for name in table.columns:
            if name.lower() == usual and name not in found and table[name].notna().all() and table[name].is_unique:
                return found | {name: "id"}
    return found


def as_text(values: Any, source: str) -> pd.Series:
    """Text of ids and labels: 1.0 is '1', bytes are decoded, blank and nan are missing.

    Raises:
        UserError: bytes are not UTF-8, or floats are too large to be exact; `source` begins the sentence.
    """
    series = pd.Series(values)
    if series.dtype.kind in "iu":  # nothing to strip, and none is missing: of a million rows, four columns less
        return series.astype("str")
    if pd.api.types.is_float_dtype(series.dtype) and (series.dropna() % 1 == 0).all():
        if (series.abs() >= EXACT_BELOW).any():
            raise UserError(f"{source} holds floats beyond 2**53, which are not exact: store them as integers or text.")
        series = series.astype("Int64")
    if series.dtype == object:
        try:
            series = series.map(lambda value: value.decode() if isinstance(value, bytes) else value)
        except UnicodeDecodeError as error:
            raise UserError(f"{source} is not UTF-8 text.") from error
    text = series.astype("string").str.strip()
    return text.mask(text.str.lower().isin(["", "nan"])).astype("str")


def whole_numbers(labels: pd.Series) -> pd.Series:
    """Labels that are all whole numbers, some of them written as decimals: '1.0' and '1.0e+01' become '1' and '10'.

    So a class has one name, whether a file holds it as text, as an integer or as a float.
    """
    there = labels.dropna()
    numbers = pd.to_numeric(there, errors="coerce")
    whole = numbers.notna().all() and (numbers.abs() < EXACT_BELOW).all() and (numbers % 1 == 0).all()
    if not len(there) or not whole or there.str.fullmatch(WHOLE).all():
        return labels
    result: pd.Series = labels.copy()
    result.loc[there.index] = numbers.astype("int64").astype("str")
    return result


def numbers_if_all(values: pd.Series) -> pd.Series:
    """Numbers where each text that is not blank is one, else the text. Whole numbers stay exact, with missing ones too.

    Whole numbers of which any has a leading zero are identifiers, such as 0266, and stay text. A comma is a
    decimal comma, if it makes all of them numbers.
    """
    there = values[~values.str.lower().isin(["", "nan"])]
    if len(there) and there.str.fullmatch(WHOLE).all():
        if there.str.fullmatch(PADDED).any():
            return values
        numbers = pd.to_numeric(there, errors="coerce")
        if not pd.api.types.is_integer_dtype(numbers.dtype):  # beyond 64 bits
            return values
        with_missing: Any = "UInt64" if pd.api.types.is_unsigned_integer_dtype(numbers.dtype) else "Int64"
        return numbers if len(there) == len(values) else numbers.astype(with_missing).reindex(values.index)
    for text in (there, there.str.replace(",", ".", regex=False)):
        numbers = pd.to_numeric(text, errors="coerce")
        if numbers.notna().all():
            return numbers.astype("float64").reindex(values.index)
    return values


def nullable_integers(table: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as types that may miss some: as floats, those of 64 bits would not be exact."""
    whole = [name for name in table if pd.api.types.is_integer_dtype(table[name].dtype)]
    unsigned = pd.api.types.is_unsigned_integer_dtype
    return table.astype({name: "UInt64" if unsigned(table[name].dtype) else "Int64" for name in whole})


def plain_integers(table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Columns of `nullable_integers` as pandas alone makes them, floats if some are missing, if floats hold them all.

    So the same data has the same type, and fingerprint, as in earlier versions.
    """
    names = list(names)
    missing = {name for name in names if table[name].hasnans}
    inexact = {name for name in missing if (table[name].abs() >= EXACT_BELOW).any()}
    plain = {name: "float64" if name in missing else str(table[name].dtype).lower() for name in names}
    return table.astype({name: kind for name, kind in plain.items() if name not in inexact})


def check_ids(ids: pd.Series, source: str) -> None:
    """Raise UserError if an id is missing, or there twice; `source` begins the sentence."""
    if ids.isna().any():
        raise UserError(f"{source} has no id in row {int(ids.isna().to_numpy().argmax()) + 1}.")
    if (twice := ids.duplicated()).any():
        raise UserError(f"{source} has the id '{ids[twice].iloc[0]}' more than once.")

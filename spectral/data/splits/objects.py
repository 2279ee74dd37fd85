"""Whether the spectra of one object stay together: counted, and asked about if nothing names the objects.

Replicates of an object on both sides of a split inflate the score: the network has seen the object already.
"""

import logging

import numpy as np
import pandas as pd

from spectral.data.splits.split import SPLITS

log = logging.getLogger(__name__)

KNOWN = ("id", "label", "class_index", "length", "split", "group", "snr", "redshift", "subclass")
OBJECTS = ("patient", "subject", "object", "sample", "star", "record")  # names of a column that say what it is
LEAST_REPEATED = 0.05  # of the spectra share their value with another: fewer hardly move a score
MOST_PER_OBJECT = 20.0  # on average; columns with fewer values name plates, nights or kinds
NUM_PER_CLASS = 3  # an object's column has more values than that times the classes


def num_groups(catalog: pd.DataFrame) -> int | None:
    """How many objects a catalog names; a spectrum without a group is one of its own. None if it names none."""
    if "group" not in catalog:
        return None
    return int(catalog["group"].nunique() + catalog["group"].isna().sum())


def warn_of_torn_objects(catalog: pd.DataFrame, split_name: str) -> None:
    """Warn of objects that stand in several parts of a split, which a split of the source's own may do."""
    if "group" not in catalog:
        return
    used = catalog[catalog["split"].isin(SPLITS) & catalog["group"].notna()]
    num_parts = used.groupby("group")["split"].nunique()
    torn = num_parts.index[num_parts > 1]
    if len(torn):
        num_spectra = int(used["group"].isin(torn).sum())
        log.warning(
            "split=%s has %d of %d objects in more than one part, with %d spectra: scores on what the network has seen "
            "are too high. split=stratified keeps objects together.",
            *(split_name, len(torn), len(num_parts), num_spectra),
        )


def warn_of_repeats(catalog: pd.DataFrame) -> None:
    """Ask about the first column that seems to name an object, by its name or else its values, if no group is named."""
    if "group" in catalog:
        return
    label = catalog["label"]
    names = [name for name in catalog.columns if name not in KNOWN]
    called = [name for name in names if _is_called_object(name, catalog[name], label)]
    for name in called or (name for name in names if _may_name_objects(catalog[name], label)):
        values = catalog[name].dropna()
        log.warning(
            "The column '%s' repeats: %d values for %d spectra. If it names an object (star, sample, patient), "
            "data.group_key=%s keeps its spectra in one part; as it is, one object may train and test.",
            *(name, values.nunique(), len(values), name),
        )
        return


def _is_called_object(name: str, column: pd.Series, label: pd.Series) -> bool:
    """Whether a column is called patient, Subject_ID or the like, and repeats more values than there are classes."""
    values = column[column.notna() & label.notna()]
    if name.lower().removesuffix("_id") not in OBJECTS or values.nunique() <= label.nunique():
        return False
    return bool(values.duplicated(keep=False).mean() >= LEAST_REPEATED)


def _may_name_objects(column: pd.Series, label: pd.Series) -> bool:
    """Whether text or whole numbers repeat a few times each, always with the same label."""
    is_name = pd.api.types.is_integer_dtype(column) or not pd.api.types.is_numeric_dtype(column)
    if not is_name or pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return False
    there = column.notna() & label.notna()
    values, labels = column[there].astype("str"), label[there]
    num_each = values.map(values.value_counts())
    if values.empty or (num_each > 1).mean() < LEAST_REPEATED:
        return False
    if len(values) / values.nunique() > MOST_PER_OBJECT or values.nunique() <= NUM_PER_CLASS * labels.nunique():
        return False
    return bool(np.all(labels.groupby(values).nunique() == 1))

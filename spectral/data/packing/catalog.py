"""The table and the classes of a pack, from a reader's catalog."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from spectral.data.packing.class_names import UNLISTED, order_class_names, unlisted_sentence, with_given_names
from spectral.data.packing.merge import Contents
from spectral.data.readers.columns import SHORT_ID, set_apart
from spectral.errors import UserError

OWN = ("class_index", "length")  # columns that a pack adds to those of its source
SET_APART = {*OWN, "file", "row_in_file", "problem"}  # those, and what the catalog of a survey of files adds


def checked_catalog(catalog: pd.DataFrame) -> pd.DataFrame:
    """A reader's catalog with ids as text and labels as text or missing.

    Raises:
        UserError: it has no rows, or an id twice.
    """
    if not len(catalog):
        raise UserError("The survey holds no spectra.")
    catalog = with_text(catalog)
    ids = catalog["id"]
    if (twice := ids.duplicated()).any():
        raise UserError(f"The id {ids[twice].iloc[0]} is in the survey {int((ids == ids[twice].iloc[0]).sum())} times.")
    return catalog


def with_text(catalog: pd.DataFrame) -> pd.DataFrame:
    """A reader's catalog, its rows numbered from 0, with ids as text and labels as text or missing."""
    labels = (catalog["label"] if "label" in catalog else pd.Series(None, index=catalog.index)).astype("str")
    texts = {"id": catalog["id"].astype("str"), "label": labels.mask(labels == "")}
    return catalog.assign(**texts).reset_index(drop=True)


def class_names_of(labels: pd.Series, given: Sequence[str] | None, proposed: Sequence[str] | None) -> list[str]:
    """Class names in the order of their indices.

    Args:
        labels: text, or missing.
        given: the user's (data.class_names).
        proposed: the reader's, taken if they cover all labels.

    Raises:
        UserError: a given name is there twice.
    """
    found = labels.dropna().unique()
    if given is None and proposed and set(found) <= set(proposed):
        return list(proposed)
    return order_class_names(found, given)


def of_given_classes(
    catalog: pd.DataFrame, given: Sequence[str] | None, on_bad: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The catalog with the user's names as labels, and what it holds of other classes.

    Args:
        given: data.class_names; None: all classes stay.
        on_bad: data.on_bad.

    Returns:
        The catalog, its rows not numbered again; and columns id and reason of the spectra of other classes.

    Raises:
        UserError: there are some, and on_bad is "error"; or no label is of a given class.
    """
    if given is None:
        return catalog, pd.DataFrame({"id": [], "reason": []}, dtype="str")
    labels, unlisted = with_given_names(catalog["label"], given)
    if unlisted.any() and (on_bad == "error" or labels.isna().all()):
        raise UserError(unlisted_sentence(catalog, unlisted, given, may_skip=on_bad == "error"))
    others = pd.DataFrame({"id": catalog["id"], "reason": UNLISTED + ": " + catalog["label"]})
    return catalog.assign(label=labels)[~unlisted], others[unlisted].reset_index(drop=True)


def kept_entries(catalog: pd.DataFrame, contents: Contents, class_names: Sequence[str]) -> pd.DataFrame:
    """The catalog of the spectra that were kept, with `class_index` (-1 if there is no label) and `length`.

    Columns of the source with these names are kept as `class_index_in_source` and `length_in_source`.
    """
    index = {name: i for i, name in enumerate(class_names)}
    kept = catalog.iloc[contents.rows].reset_index(drop=True)
    class_index = kept["label"].map(index).fillna(-1).astype(np.int64)
    return set_apart(kept, OWN).assign(class_index=class_index, length=contents.lengths)


def skipped_entries(catalog: pd.DataFrame, contents: Contents) -> pd.DataFrame:
    """Columns id and reason of the spectra that were left out."""
    return pd.DataFrame({"id": catalog["id"].to_numpy()[contents.skipped_rows], "reason": contents.skipped_reasons})


def count_reasons(skipped: pd.DataFrame) -> dict[str, int]:
    """How many spectra were left out for which reason, the most frequent first; details of single spectra dropped."""
    return dict(Counter(_kind(id_, reason) for id_, reason in skipped.itertuples(index=False)).most_common())


def _kind(id_: str, reason: str) -> str:
    """A reason without its details, which follow a colon, and without the id of its spectrum."""
    kind = reason.partition(":")[0]
    if id_ not in kind and ":" not in id_:  # as of millions of files that are missing: a pattern for each takes minutes
        return kind
    return re.sub(rf"(?<!\w){re.escape(id_)}(?!\w)", "<id>", reason).partition(":")[0]


def entries_digest(entries: pd.DataFrame, class_names: Sequence[str]) -> bytes:
    """Of the columns under the names that they have always had, so that the same data has the same fingerprint.

    Version 0.1 had no short ids, and wrote its own columns over those of the source that are called so.
    """
    digest = hashlib.blake2b(repr(tuple(class_names)).encode())
    for name in dict.fromkeys(_name_before(str(name)) for name in entries):
        if name in entries:
            digest.update(f"{name}".encode())
            digest.update(pd.util.hash_pandas_object(entries[name], index=False).to_numpy().tobytes())
    return digest.digest()


def _name_before(name: str) -> str:
    own = name.removesuffix("_in_source")
    return "" if name == SHORT_ID else own if own in SET_APART else name

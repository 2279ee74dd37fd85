"""Class names and their order."""

import logging
import math
from collections.abc import Iterable, Sequence

import pandas as pd

from spectral.configs.class_lists import class_of
from spectral.data.readers.columns import shortened
from spectral.data.readers.text import MISSING_WORDS
from spectral.errors import UserError, did_you_mean, nearest

log = logging.getLogger(__name__)

UNLISTED = "a class that is not in data.class_names"

# The Tianchi contest's numbering of its classes, kept so that results compare class by class.
CONTEST_ORDER = ("star", "unknown", "galaxy", "qso")


def order_class_names(labels: Iterable[object], given: Sequence[str] | None = None) -> list[str]:
    """The class names in the order of their indices.

    Args:
        labels: one per spectrum, or the different ones; missing ones are left out.
        given: the user's order (data.class_names), which has all labels. Otherwise the contest's classes, if there are
            no others, stand in the contest's order, in whatever case they are written; numbers stand in numeric order,
            and others in alphabetic order.

    Raises:
        UserError: a given name is there twice.
    """
    if given is not None:
        if len(set(given)) < len(given):
            raise UserError(f"data.class_names={list(given)} has a name more than once.")
        return list(given)
    found = {str(label) for label in pd.Series(list(labels), dtype="object").dropna().unique()}
    by_lower = {name.lower(): name for name in found}
    if len(by_lower) == len(found) and by_lower.keys() <= set(CONTEST_ORDER):
        return [by_lower[name] for name in CONTEST_ORDER if name in by_lower]
    return sorted(found, key=_numeric_first)


def _numeric_first(name: str) -> tuple[bool, float, str]:
    try:
        number = float(name) if "_" not in name else math.nan
    except ValueError:
        number = math.nan
    return (not math.isfinite(number), number if math.isfinite(number) else 0.0, name)


def warn_of_missing_words(labels: pd.Series) -> None:
    """Warn of a class that is called as other programs write labels that are missing, such as R's NA."""
    for name, num in labels.value_counts().items():
        if str(name).lower() in MISSING_WORDS:
            spectra = "1 spectrum has" if num == 1 else f"{num:,} spectra have"
            log.warning("%s the label %s, a class of its own: a missing label is blank.", spectra, name)


def warn_of_names_alike(class_names: Sequence[str]) -> None:
    """Warn of two classes that differ in capitals or spaces alone, no-break spaces among them."""
    first: dict[str, str] = {}
    for name in class_names:
        other = first.setdefault(" ".join(name.casefold().split()), name)
        if other != name:
            log.warning(
                "The classes %r and %r differ in capitals or spaces alone: write them alike if they are one. "
                "data.class_names=[...] with one of them joins them if only capitals differ.",
                other,
                name,
            )


def with_given_names(labels: pd.Series, given: Sequence[str]) -> tuple[pd.Series, pd.Series]:
    """Labels under the names that the user has for them, whatever their capitals, and which of them have none.

    Args:
        labels: text, or missing.
        given: data.class_names.

    Returns:
        The labels, missing where they are not among the names; and whether each is left out for that.
    """
    names = {label: class_of(label, given) for label in labels.dropna().unique()}
    named = labels.map(names).astype("str")
    return named, named.isna() & labels.notna()


def unlisted_sentence(catalog: pd.DataFrame, unlisted: pd.Series, given: Sequence[str], may_skip: bool) -> str:
    """What is said of the first spectrum whose label is not in data.class_names, or of a name there that has none.

    Args:
        may_skip: whether data.on_bad=skip would help.
    """
    first, num = catalog[unlisted].iloc[0], int(unlisted.sum())
    labels = sorted(catalog["label"].dropna().unique())
    unmatched = [name for name in given if name not in {class_of(label, given) for label in labels}]
    others = sorted(catalog.loc[unlisted, "label"].unique())
    of_all = f"out, {num:,} of {len(catalog):,}"
    skip = f"; data.on_bad=skip leaves such spectra {of_all}" if may_skip else ""
    if may_skip and (typo := next((name for name in unmatched if did_you_mean(name, others)), None)) is not None:
        return (
            f"data.class_names has '{typo}', which matches no label of the data: {did_you_mean(typo, others)}"
            f"the labels are {shortened(labels)}; data.on_bad=skip leaves spectra of other classes {of_all}."
        )
    all_of = "" if may_skip else f" like those of all {num:,} labelled spectra"
    return (
        f"Spectrum {first['id']} has the label '{first['label']}', which{all_of} is not in data.class_names: "
        f"{nearest(first['label'], given)}{skip}."
    )

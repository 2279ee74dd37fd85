"""Class names and their order."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from spectral.errors import UserError, nearest

# The Tianchi contest's numbering of its classes, kept so that results compare class by class.
CONTEST_ORDER = ("star", "unknown", "galaxy", "qso")


def order_class_names(labels: Iterable[object], given: Sequence[str] | None = None) -> list[str]:
    """The class names in the order of their indices.

    Args:
        labels: one a spectrum, or the different ones; missing ones are left out.
        given: the user's order (data.class_names). Otherwise the contest's classes, if there are no others, stand in
            the contest's order, in whatever case they are written; numbers stand in numeric order, and others in
            alphabetic order.

    Raises:
        UserError: a label is not among the given names, or a given name is there twice.
    """
    found = {str(label) for label in pd.Series(list(labels), dtype="object").dropna().unique()}
    if given is not None:
        _check_given(sorted(found), given)
        return list(given)
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


def _check_given(found: list[str], given: Sequence[str]) -> None:
    if len(set(given)) < len(given):
        raise UserError(f"data.class_names={list(given)} has a name more than once.")
    for label in found:
        if label not in given:
            raise UserError(f"The label '{label}' is not in data.class_names: {nearest(label, given)}.")

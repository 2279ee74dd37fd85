"""Class names and their order."""

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
            the contest's order, whole numbers in numeric order, and others in alphabetic order.

    Raises:
        UserError: a label is not among the given names, or a given name is there twice.
    """
    found = {str(label) for label in pd.Series(list(labels), dtype="object").dropna().unique()}
    if given is not None:
        _check_given(sorted(found), given)
        return list(given)
    if found <= set(CONTEST_ORDER):
        return [name for name in CONTEST_ORDER if name in found]
    return sorted(found, key=_numeric_first)


def _numeric_first(name: str) -> tuple[bool, int, str]:
    is_whole = name.removeprefix("-").isdecimal()
    return (not is_whole, int(name) if is_whole else 0, name)


def _check_given(found: list[str], given: Sequence[str]) -> None:
    if len(set(given)) < len(given):
        raise UserError(f"data.class_names={list(given)} has a name more than once.")
    for label in found:
        if label not in given:
            raise UserError(f"The label '{label}' is not in data.class_names: {nearest(label, given)}.")

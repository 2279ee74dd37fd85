"""Axes as numbers: what a plot can place. A simplex has a column a share, a list its length and its mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.report.model import Report, ReportedTrial
from sweeps.results.trial_row import shown
from sweeps.space.values import canonical, is_number

MOST_CATEGORIES = 12


@dataclass(frozen=True)
class Column:
    """A number for each trial.

    Args:
        axis: that it is of.
        values: trial number -> number, or place among the categories; a trial that lacks the axis is left out.
        categories: names of the places 0, 1, ...; None for numbers.
        is_log: whether the axis is searched on a log scale.
    """

    axis: str
    name: str
    values: dict[int, float]
    categories: list[str] | None = None
    is_log: bool = False

    @property
    def varies(self) -> bool:
        return len(set(self.values.values())) > 1


def columns_of(report: Report, trials: Sequence[ReportedTrial]) -> list[Column]:
    """Every column of every axis that has more than one value in these trials."""
    found = []
    for axis in report.axes:
        values = {t.number: t.configuration[axis] for t in trials if axis in t.configuration}
        signature = report.identity.get("space", {}).get(axis, {})
        found += _columns(axis, values, signature, class_names(report))
    return [column for column in found if column.varies]


def class_names(report: Report) -> list[str]:
    """Of the first run that has ended; empty if none has."""
    runs = (run for trial in report.trials for run in trial.runs)
    return next((names for run in runs if (names := run.class_names)), [])


def is_simplex(values: Sequence[Any]) -> bool:
    """Whether all are lists of the same two or more shares that sum to 1."""
    lists = [value for value in values if isinstance(value, list) and len(value) > 1 and all(map(is_number, value))]
    if not values or len(lists) < len(values) or len({len(value) for value in lists}) > 1:
        return False
    return all(min(value) >= 0 and abs(sum(value) - 1) < 1e-3 for value in lists)


def share_names(size: int, classes: list[str]) -> list[str]:
    """What the shares of a simplex are of: the classes, if there are as many."""
    return classes if len(classes) == size else [f"share {place + 1}" for place in range(size)]


def _columns(axis: str, values: dict[int, Any], signature: dict[str, Any], classes: list[str]) -> list[Column]:
    kinds = list(values.values())
    if all(is_number(value) and math.isfinite(value) for value in kinds):
        return [Column(axis, axis, values, is_log=bool(signature.get("log")))]
    if signature.get("type") == "simplex" or (_is_varied(kinds) and is_simplex(kinds)):
        names = share_names(len(kinds[0]), classes) if kinds else []
        return [Column(axis, f"{axis}: {n}", {t: v[k] for t, v in values.items()}) for k, n in enumerate(names)]
    if _is_varied(kinds) and all(isinstance(value, list) for value in kinds):
        return _of_lists(axis, values)
    return [_categorical(axis, values, signature)]


def _is_varied(values: Sequence[Any]) -> bool:
    return len({canonical(value) for value in values}) > MOST_CATEGORIES


def _of_lists(axis: str, values: dict[int, list[Any]]) -> list[Column]:
    columns = [Column(axis, f"{axis}: length", {t: len(v) for t, v in values.items()})]
    if all(is_number(element) for value in values.values() for element in value):
        means = {t: sum(v) / len(v) for t, v in values.items() if v}
        columns.append(Column(axis, f"{axis}: mean", means))
    return columns


def _categorical(axis: str, values: dict[int, Any], signature: dict[str, Any]) -> Column:
    """In the order of the space, if that is known; what comes after the last place that has room is put together."""
    known = [canonical(value) for value in signature.get("values", [])]
    there = {canonical(value): shown(value) for value in values.values()}
    order = [text for text in known if text in there] + sorted(text for text in there if text not in known)
    places = {text: min(place, MOST_CATEGORIES) for place, text in enumerate(order)}
    names = [there[text] for text in order[:MOST_CATEGORIES]] + ["others"] * (len(order) > MOST_CATEGORIES)
    return Column(axis, axis, {t: places[canonical(v)] for t, v in values.items()}, names)

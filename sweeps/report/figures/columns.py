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
    """Of the first run that has ended; empty where none has."""
    runs = (run for trial in report.trials for run in trial.runs)
    return next((names for run in runs if (names := run.class_names)), [])


@dataclass(frozen=True)
class Shares:
    """Values of a simplex as numbers.

    Args:
        names: [K], what the shares are of.
        rows: [K] of each value.
    """

    names: list[str]
    rows: list[list[float]]


def shares_of(values: Sequence[Any], classes: Sequence[str]) -> Shares | None:
    """The values of a simplex; None if they are none.

    Args:
        values: lists in class order, or mappings by class name.
        classes: of the data, or of the search; mappings are shown in their order.
    """
    if not values:
        return None
    if isinstance(values[0], dict):
        known = [name for name in classes if name in values[0]]
        names = [*known, *(name for name in values[0] if name not in known)]
        if any(not isinstance(value, dict) or value.keys() != values[0].keys() for value in values):
            return None
        rows = [[value[name] for name in names] for value in values]
    else:
        if any(not isinstance(value, list) or len(value) != len(values[0]) for value in values):
            return None
        rows, size = list(values), len(values[0])
        names = list(classes) if len(classes) == size else [f"share {place + 1}" for place in range(size)]
    return Shares(names, rows) if all(map(_are_shares, rows)) else None


def _are_shares(row: list[Any]) -> bool:
    return len(row) > 1 and all(map(is_number, row)) and min(row) >= 0 and abs(sum(row) - 1) < 1e-3


def _columns(axis: str, values: dict[int, Any], signature: dict[str, Any], classes: list[str]) -> list[Column]:
    kinds = list(values.values())
    if all(is_number(value) and math.isfinite(value) for value in kinds):
        return [Column(axis, axis, values, is_log=bool(signature.get("log")))]
    shares = shares_of(kinds, signature.get("classes", classes))
    if shares and (signature.get("type") == "simplex" or _is_varied(kinds)):
        by_trial = dict(zip(values, shares.rows, strict=True))
        return [
            Column(axis, f"{axis}: {n}", {t: v[k] for t, v in by_trial.items()}) for k, n in enumerate(shares.names)
        ]
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
    """In the order of the space, where that is known; what comes after the last place that has room is put together."""
    in_space = [canonical(value) for value in signature.get("values", [])]
    there = {canonical(value): shown(value) for value in values.values()}
    order = [text for text in in_space if text in there] + sorted(text for text in there if text not in in_space)
    places = {text: min(place, MOST_CATEGORIES) for place, text in enumerate(order)}
    names = [there[text] for text in order[:MOST_CATEGORIES]] + ["others"] * (len(order) > MOST_CATEGORIES)
    return Column(axis, axis, {t: places[canonical(v)] for t, v in values.items()}, names)

"""Scores over the axes: parallel coordinates of all, and a small plot of each."""

import math
from itertools import pairwise
from typing import Any

from sweeps.report.figures.columns import Column
from sweeps.report.figures.scores import score
from sweeps.report.figures.style import (
    COLOURS,
    INK,
    LINE_SCORES,
    axis,
    counting,
    layout,
    marks,
    number,
    numbers,
    short,
    tail,
    text,
)
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.section import Figure
from sweeps.results.trial_row import shown

MOST_PARALLEL = 9
LONGEST_NAME = 44  # above its axis, aslant
AXIS_PX = 100  # from one axis to the next, so that the names of values can be read
PARALLEL_MARGIN = {"l": 130, "r": 80, "t": 124, "b": 24}
MOST_SLICES = 24
MOST_TICKS = 8
NUM_TICKS = 5  # where values have none of their own
LEAST_GAP = 0.06  # between two ticks, of the height of the axis


def parallel(report: Report, trials: list[ReportedTrial], columns: list[Column], are_by_importance: bool) -> Figure:
    """Needs two trials and a column; the columns that come first are drawn.

    Args:
        are_by_importance: whether the columns that matter most come first.
    """
    trials = sorted(trials, key=score, reverse=report.directions[0] == "minimize")  # the best on top
    drawn, scores = columns[:MOST_PARALLEL], [score(trial) for trial in trials]
    dimensions = [_dimension(column, trials) for column in drawn]
    dimensions.append(_score_dimension(report.objectives[0], scores))
    better_is_dark = report.directions[0] == "maximize"
    trace = {
        "type": "parcoords",
        "dimensions": dimensions,
        "labelangle": -20,
        "labelfont": {"size": 12, "color": INK},
        "tickfont": {"size": 12, "color": INK},
        "unselected": {"line": {"color": "#bbbbbb", "opacity": 0.08}},
        "line": {
            "color": numbers(scores),
            "colorscale": LINE_SCORES,
            "reversescale": not better_is_dark,
            "showscale": False,  # the last axis is the scale
        },
    }
    first = f"{len(drawn)} that matter most" if are_by_importance else f"first {len(drawn)}"
    some = f" The {first} of {len(columns)} are drawn." if len(drawn) < len(columns) else ""
    label = f"Each line is a complete trial, dark where its score is good; drag along an axis to select some.{some}"
    content = {"data": [trace], "layout": layout(margin=PARALLEL_MARGIN)}
    width_px = PARALLEL_MARGIN["l"] + PARALLEL_MARGIN["r"] + AXIS_PX * (len(dimensions) - 1)
    return Figure("search-parallel", label, content, height_px=480, least_width_px=width_px)


def _dimension(column: Column, trials: list[ReportedTrial]) -> dict[str, Any]:
    """Where a trial lacks the axis its line passes below all values, at a tick of its own."""
    places = {n: math.log10(v) if column.is_log else v for n, v in column.values.items()}
    low, high = min(places.values()), max(places.values())
    below = low - 0.15 * (high - low)
    lacks = any(trial.number not in places for trial in trials)
    ticks, names = _ticks(column, low, high)
    return {
        "label": tail(column.name, LONGEST_NAME),
        "values": numbers(places.get(trial.number, below) for trial in trials),
        "range": [number(below if lacks else low), number(high)],
        "tickvals": numbers([below] * lacks + ticks),
        "ticktext": ["without"] * lacks + names,
    }


def _score_dimension(objective: str, scores: list[float]) -> dict[str, Any]:
    ticks = _evenly(min(scores), max(scores))
    return {
        "label": tail(objective, LONGEST_NAME),
        "values": numbers(scores),
        "tickvals": numbers(ticks),
        "ticktext": list(map(_named, ticks)),
    }


def _ticks(column: Column, low: float, high: float) -> tuple[list[float], list[str]]:
    if column.categories is not None:
        return [float(place) for place in range(len(column.categories))], [
            short(name, 14) for name in column.categories
        ]
    there = {math.log10(value) if column.is_log else value: value for value in column.values.values()}
    different = sorted(there)
    # Each value has its tick where there are few, and none so close to the next that one would hide the other.
    if len(different) <= MOST_TICKS and all(b - a >= LEAST_GAP * (high - low) for a, b in pairwise(different)):
        return different, [_named(there[tick]) for tick in different]
    ticks = _evenly(low, high)
    if all(isinstance(value, int) for value in there.values()) and not column.is_log:
        ticks = list(dict.fromkeys(map(round, ticks)))
    return ticks, [_named(10**tick if column.is_log else tick) for tick in ticks]


def _named(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3g}"


def _evenly(low: float, high: float) -> list[float]:
    return [low + (high - low) * k / (NUM_TICKS - 1) for k in range(NUM_TICKS)] if high > low else [low]


def slices(report: Report, trials: list[ReportedTrial], columns: list[Column]) -> list[Figure]:
    """A small plot of each column, the score upwards."""
    return [_slice(report, trials, column, place) for place, column in enumerate(columns[:MOST_SLICES])]


def _slice(report: Report, trials: list[ReportedTrial], column: Column, place: int) -> Figure:
    having = [trial for trial in trials if trial.number in column.values]
    x = [column.values[trial.number] for trial in having]
    along = _along(column, x)
    if column.categories is not None:
        x = [value + _jitter(trial.number) for value, trial in zip(x, having, strict=True)]
        names = [short(name, 12) for name in column.categories]
        along |= {"tickvals": list(range(len(names))), "ticktext": names}
    lines = [f"trial {trial.number}: {shown(score(trial))}" for trial in having]
    y = numbers(score(trial) for trial in having)
    data = [marks("complete", numbers(x), y, lines, color=COLOURS[0], size=5, opacity=0.6)]
    best = [i for i, trial in enumerate(having) if report.best and trial.number == report.best.number]
    style = {"color": COLOURS[1], "size": 12, "symbol": "star"}
    data += [marks("best", numbers([x[i]]), [y[i]], [lines[i]], **style) for i in best]
    margin = {"l": 56, "r": 12, "t": 36, "b": 48}  # above it the buttons of the figure
    drawn = layout(xaxis=along, yaxis=axis(text(report.objectives[0])), showlegend=False, margin=margin)
    label = f"Score over {column.name}."
    return Figure(f"search-slice-{place}", label, {"data": data, "layout": drawn}, height_px=288)


def _along(column: Column, values: list[float]) -> dict[str, Any]:
    title = tail(column.name, 30)
    if column.is_log:
        ticks = _log_ticks(min(values), max(values))
        return axis(title, type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    is_whole = column.categories is None and all(isinstance(value, int) for value in values)
    return counting(title, values) if is_whole else axis(title, exponentformat="e")


def _log_ticks(low: float, high: float) -> list[float]:
    """At round numbers, as close as a small plot has room for; Plotly would write 20 as 2."""
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < 1.3 else (1, 3) if decades < 3 else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, round(decades / 4))
    round_ones = [step * 10.0**power for power in range(first, last + 1, every) for step in steps]
    return [number(tick) or tick for tick in round_ones if 0.95 * low <= tick <= 1.05 * high] or [low]


def _jitter(number: int) -> float:
    """Sideways, so that trials of one category do not hide each other; the golden ratio spreads them evenly."""
    return ((number * 0.618034) % 1 - 0.5) * 0.5

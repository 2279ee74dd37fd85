"""Scores over the axes: parallel coordinates of all, and a small plot of each."""

import math
from typing import Any

from sweeps.report.columns import Column
from sweeps.report.figures import COLOURS, SCORES, axis, layout, marks, number, numbers, short, text
from sweeps.report.scores import score
from sweeps.report.section import Figure
from sweeps.report.study import Report, ReportedTrial
from sweeps.rows import shown

MOST_PARALLEL = 9
MOST_SLICES = 24
MOST_TICKS = 8


def parallel(report: Report, trials: list[ReportedTrial], columns: list[Column]) -> Figure:
    """Needs two trials and a column; the columns that come first are drawn."""
    drawn, scores = columns[:MOST_PARALLEL], [score(trial) for trial in trials]
    dimensions = [_dimension(column, trials) for column in drawn]
    dimensions.append({"label": short(report.objectives[0]), "values": numbers(scores)})
    better_is_dark = report.directions[0] == "maximize"
    trace = {
        "type": "parcoords",
        "dimensions": dimensions,
        "labelangle": -20,
        "labelfont": {"size": 12},
        "tickfont": {"size": 11},
        "unselected": {"line": {"color": "#bbbbbb", "opacity": 0.08}},
        "line": {
            "color": numbers(scores),
            "colorscale": SCORES,
            "reversescale": not better_is_dark,
            "showscale": False,  # the last axis is the scale
        },
    }
    some = f" The {len(drawn)} that matter most of {len(columns)} are drawn." if len(drawn) < len(columns) else ""
    label = f"Each line is a complete trial, dark where its score is good; drag along an axis to select some.{some}"
    content = {"data": [trace], "layout": layout(margin={"l": 90, "r": 40, "t": 100, "b": 24})}
    return Figure("search-parallel", label, content, height_px=460)


def _dimension(column: Column, trials: list[ReportedTrial]) -> dict[str, Any]:
    """Where a trial lacks the axis its line passes below all values, at a tick of its own."""
    places = {n: math.log10(v) if column.is_log else v for n, v in column.values.items()}
    low, high = min(places.values()), max(places.values())
    below = low - 0.15 * (high - low)
    lacks = any(trial.number not in places for trial in trials)
    ticks, names = _ticks(column, low, high)
    return {
        "label": short(column.name, 24),
        "values": numbers(places.get(trial.number, below) for trial in trials),
        "range": [number(below if lacks else low), number(high)],
        "tickvals": numbers([below] * lacks + ticks),
        "ticktext": ["without"] * lacks + names,
    }


def _ticks(column: Column, low: float, high: float) -> tuple[list[float], list[str]]:
    if column.categories is not None:
        return [float(place) for place in range(len(column.categories))], [
            short(name, 14) for name in column.categories
        ]
    different = sorted(set(column.values.values()))
    if len(different) <= MOST_TICKS and not column.is_log:
        return different, [f"{value:g}" for value in different]
    ticks = [low + (high - low) * k / 4 for k in range(5)]
    return ticks, [f"{10**tick if column.is_log else tick:.3g}" for tick in ticks]


def slices(report: Report, trials: list[ReportedTrial], columns: list[Column]) -> list[Figure]:
    """A small plot of each column, the score upwards."""
    return [_slice(report, trials, column, place) for place, column in enumerate(columns[:MOST_SLICES])]


def _slice(report: Report, trials: list[ReportedTrial], column: Column, place: int) -> Figure:
    having = [trial for trial in trials if trial.number in column.values]
    x = [column.values[trial.number] for trial in having]
    along = axis(text(column.name), type="log" if column.is_log else "linear", exponentformat="e")
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
    margin = {"l": 56, "r": 12, "t": 8, "b": 48}
    drawn = layout(xaxis=along, yaxis=axis(text(report.objectives[0])), showlegend=False, margin=margin)
    label = f"Score over {column.name}."
    return Figure(f"search-slice-{place}", label, {"data": data, "layout": drawn}, height_px=260)


def _jitter(number: int) -> float:
    """Sideways, so that trials of one category do not hide each other; the golden ratio spreads them evenly."""
    return ((number * 0.618034) % 1 - 0.5) * 0.5

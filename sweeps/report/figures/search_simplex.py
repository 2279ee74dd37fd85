"""Shares that sum to 1: a ternary plot of three, else what the best and the worst trials had on average."""

from itertools import pairwise
from statistics import fmean
from typing import Any

from sweeps.report.figures.columns import class_names, shares_of
from sweeps.report.figures.scores import hover, score
from sweeps.report.figures.style import COLOURS, SCORES, ink_on, layout, named_places, number, numbers, short, text
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.section import Figure

NUM_GROUPS = 10

Rows = dict[int, list[float]]
"""Trial number -> shares [K]."""


def simplex_figures(report: Report, trials: list[ReportedTrial]) -> list[Figure]:
    """A figure of each axis whose values are shares; needs two trials that have it."""
    figures = []
    for place, axis in enumerate(report.axes):
        having = [trial for trial in trials if axis in trial.configuration]
        searched = report.identity.get("space", {}).get(axis, {}).get("classes") or class_names(report)
        shares = shares_of([trial.configuration[axis] for trial in having], searched)
        if len(having) > 1 and shares:
            rows = {trial.number: row for trial, row in zip(having, shares.rows, strict=True)}
            draw = _ternary if len(shares.names) == 3 else _stacked
            figures.append(draw(report, having, shares.names, rows, axis, f"search-simplex-{place}"))
    return figures


def _ternary(report: Report, trials: list[ReportedTrial], names: list[str], rows: Rows, axis: str, name: str) -> Figure:
    # The best are drawn last, on top.
    trials = sorted(trials, key=score, reverse=report.directions[0] == "minimize")
    trace = {
        "type": "scatterternary",
        "mode": "markers",
        **{corner: numbers(rows[trial.number][k] for trial in trials) for k, corner in enumerate("abc")},
        "text": [hover(report, trial) for trial in trials],
        "hoverinfo": "text",
        "marker": {
            "size": 9,
            "color": numbers(map(score, trials)),
            "colorscale": SCORES,
            "reversescale": report.directions[0] == "minimize",
            "line": {"color": "#767676", "width": 0.5},
            "showscale": True,
            "colorbar": {"title": {"text": short(report.objectives[0])}, "thickness": 12},
        },
    }
    corners = {
        f"{corner}axis": {"title": {"text": short(names[k])}, "min": 0, "gridcolor": "#e5e5e5", "linecolor": "#767676"}
        for k, corner in enumerate("abc")
    }
    drawn = layout(ternary={"sum": 1, "bgcolor": "white", **corners}, margin={"l": 64, "r": 64, "t": 48, "b": 48})
    label = f"{axis}: each corner is a batch of one class alone; each dot is a trial, dark where its score is good."
    return Figure(name, label, {"data": [trace], "layout": drawn}, height_px=460)


def _stacked(report: Report, trials: list[ReportedTrial], names: list[str], rows: Rows, axis: str, name: str) -> Figure:
    ordered = sorted(trials, key=score, reverse=report.directions[0] == "maximize")
    groups = _groups(ordered)
    means = [[fmean(column) for column in zip(*(rows[t.number] for t in group), strict=True)] for group in groups]
    bars = [_bar([row[k] for row in means], k, class_name) for k, class_name in enumerate(names)]
    is_single = len(groups) == len(ordered)
    what = "Each bar is a trial, the best on the left" if is_single else "Each bar is a tenth of the trials by score"
    label = f"{what}: its {'' if is_single else 'mean '}{axis}, as shares of a whole."
    drawn = layout("score of the trials", text(axis), barmode="stack", bargap=0.15)
    drawn["xaxis"] |= named_places(_name(group) for group in groups)
    drawn["uniformtext"] = {"minsize": 10, "mode": "hide"}
    drawn["yaxis"] |= {"range": [0, 1], "tickformat": ".0%"}
    return Figure(name, label, {"data": bars, "layout": drawn}, height_px=400)


def _groups(ordered: list[ReportedTrial]) -> list[list[ReportedTrial]]:
    """Tenths by rank; single trials if there are few."""
    if len(ordered) <= 2 * NUM_GROUPS:
        return [[trial] for trial in ordered]
    ends = [round(k * len(ordered) / NUM_GROUPS) for k in range(NUM_GROUPS + 1)]
    return [ordered[start:end] for start, end in pairwise(ends)]


def _bar(shares: list[float], k: int, class_name: str) -> dict[str, Any]:
    """The shares of class k in each group."""
    return {
        "type": "bar",
        "name": short(class_name),
        "x": list(range(len(shares))),
        "y": numbers(shares),
        "text": [f"{share:.0%}" for share in shares],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "insidetextfont": {"color": ink_on(COLOURS[k % len(COLOURS)])},
        "hovertext": [f"{short(class_name)} {number(share)}" for share in shares],
        "hoverinfo": "text",
        "marker": {"color": COLOURS[k % len(COLOURS)]},
    }


def _name(group: list[ReportedTrial]) -> str:
    first, last = score(group[0]), score(group[-1])
    return f"{first:.3f}<br>trial {group[0].number}" if len(group) == 1 else f"{first:.3f}<br>to {last:.3f}"

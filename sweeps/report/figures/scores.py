"""Trials by their objectives: which ones have scores, which of two is better, and the front of the best."""

import math
from collections.abc import Mapping

from sweeps.objective import Direction
from sweeps.report.figures.style import short
from sweeps.report.model import Report, ReportedTrial
from sweeps.results.trial_row import shown
from sweeps.study.attributes import REUSED_FROM

Point = tuple[float, float]


def complete(report: Report) -> list[ReportedTrial]:
    """Trials that ended with finite objectives; copies of another trial are left out."""
    return [
        trial
        for trial in report.trials
        if trial.state == "complete"
        and trial.values
        and all(map(math.isfinite, trial.values))
        and REUSED_FROM not in trial.attributes
    ]


def score(trial: ReportedTrial) -> float:
    """The first objective of a complete trial."""
    assert trial.values is not None
    return trial.values[0]


def is_better(value: float, than: float, direction: Direction) -> bool:
    return value > than if direction == "maximize" else value < than


def in_words(direction: Direction) -> str:
    return "higher is better" if direction == "maximize" else "lower is better"


def front(points: Mapping[int, Point], directions: tuple[Direction, Direction]) -> list[int]:
    """Numbers of the points that no other is at least as good as in both and better in one, by the first value."""
    signs = [-1 if direction == "maximize" else 1 for direction in directions]
    cost = {n: (signs[0] * x, signs[1] * y) for n, (x, y) in points.items()}
    chosen: list[int] = []
    for number in sorted(cost, key=cost.__getitem__):
        last = cost[chosen[-1]] if chosen else None
        if last is None or cost[number][1] < last[1] or cost[number] == last:
            chosen.append(number)
    return chosen


def hover(report: Report, trial: ReportedTrial) -> str:
    """Lines on a trial, for a pointer that rests on it."""
    values = trial.values or ()
    lines = [f"trial {trial.number}, {trial.state}"]
    lines += [f"{short(name, 40)} {shown(value)}" for name, value in zip(report.objectives, values, strict=False)]
    lines += [f"{short(name, 40)} {short(shown(value), 40)}" for name, value in trial.configuration.items()]
    return "<br>".join(lines)

"""Trials by their objectives: which ones have scores, and what is said of them."""

import math
from collections.abc import Sequence

from sweeps.objective import Direction
from sweeps.report.figures.style import short
from sweeps.report.model import Report, ReportedTrial
from sweeps.results.trial_row import shown
from sweeps.study.attributes import REUSED_FROM


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


def within(trials: Sequence[ReportedTrial]) -> str:
    """What the best of these trials is the best of, if some are outside the constraints; begins with a space."""
    return " within the constraints" if any(trial.is_outside for trial in trials) else ""


def in_words(direction: Direction) -> str:
    return "higher is better" if direction == "maximize" else "lower is better"


def hover(report: Report, trial: ReportedTrial) -> str:
    """Lines on a trial, for a pointer that rests on it."""
    values = trial.values or ()
    lines = [f"trial {trial.number}, {trial.state_in_words}"]
    lines += [f"{short(name, 40)} {shown(value)}" for name, value in zip(report.objectives, values, strict=False)]
    lines += [f"{short(name, 40)} {short(shown(value), 40)}" for name, value in trial.configuration.items()]
    return "<br>".join(lines)

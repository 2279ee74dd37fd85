"""Section: what was searched, for how long, and what came of it."""

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sweeps.report import words
from sweeps.report.difference import Difference, difference
from sweeps.report.scores import complete, in_words
from sweeps.report.searched import fixed, searched
from sweeps.report.section import Section, render
from sweeps.report.study import Report, ReportedTrial
from sweeps.rows import shown

SPLITS = {"val": "validation", "test": "test"}


def section(report: Report) -> Section:
    best, reference = report.best, report.reference
    compared = [trial for trial in (best, reference) if trial]
    rows = [Row.of(trial) for trial in {trial.number: trial for trial in compared}.values()]
    html = render(
        "head.html",
        report=report,
        rows=rows,
        splits={key: name for key, name in SPLITS.items() if any(key in row.splits for row in rows)},
        # Of a single seed the objective is that column already.
        repeats=report.objectives == ["val/macro_f1"] and all("spread" not in t.attributes for t in compared),
        best=best,
        reference=reference,
        words=words,
        directions=dict(zip(report.objectives, map(in_words, report.directions), strict=True)),
        command=best_command(report),
        configuration={axis: shown(value) for axis, value in best.configuration.items()} if best else {},
        difference=_difference(best, reference),
        num_complete=len(complete(report)),
        num_seeds=max((len(trial.runs) for trial in compared), default=1),
        **_budget(report),
        **_space(report),
    )
    return Section("head", "Summary", html, script="head.js")


@dataclass(frozen=True)
class Row:
    """A trial in the table of the best one and the reference.

    Args:
        splits: "val" and "test" -> macro-F1 and its interval, where the run has them.
    """

    trial: ReportedTrial
    objectives: list[str]
    splits: dict[str, tuple[str, str]]
    num_parameters: str
    time: str

    @classmethod
    def of(cls, trial: ReportedTrial) -> "Row":
        result = next((run.result for run in trial.runs if run.result), {})
        splits = {
            split: (words.score(result[name]), words.interval(result.get(f"{name}_low"), result.get(f"{name}_high")))
            for split in SPLITS
            if (name := f"{split}/macro_f1") in result
        }
        return cls(trial, _objectives(trial), splits, words.count(result.get("num_parameters")), _time(trial, result))


def best_command(report: Report) -> str:
    """The command of the best trial: sweep.json knows the program, and may be of a time when another was the best."""
    if report.best is None or not report.best.overrides:
        return ""
    known = shlex.split(report.best_command)
    program = known[: 2 if known[0] == "python" else 1] if known else ["python", "run.py"]
    return shlex.join([*program, *report.best.overrides])


def _objectives(trial: ReportedTrial) -> list[str]:
    spread = trial.attributes.get("spread")
    values = [words.score(value) for value in trial.values or ()]
    return [f"{value} ± {spread[i]:.4f}" for i, value in enumerate(values)] if spread else values


def _time(trial: ReportedTrial, result: dict[str, Any]) -> str:
    return words.duration(trial.seconds if trial.seconds is not None else result.get("time/train_s"))


def _difference(best: ReportedTrial | None, reference: ReportedTrial | None) -> Difference | None:
    if best is None or reference is None or best.number == reference.number or not (best.runs and reference.runs):
        return None
    return difference(best.runs[0], reference.runs[0])


def _budget(report: Report) -> dict[str, Any]:
    starts = [trial.started for trial in report.trials if trial.started]
    ends = [trial.ended for trial in report.trials if trial.ended]
    ran = [t.seconds for t in report.trials if t.seconds is not None]
    return {
        "states": Counter(trial.state for trial in report.trials),
        "num_reused": sum("reused_from" in trial.attributes for trial in report.trials),
        "began": min(starts, default=None),
        "ended": max(ends, default=None),
        "spent_s": sum(ran) if ran else None,
        "num_ended": sum(trial.state in ("complete", "pruned", "fail") for trial in report.trials),
        "outside": [t.number for t in report.trials if t.state == "complete" and not t.is_candidate],
    }


def _space(report: Report) -> dict[str, Any]:
    space = report.identity.get("space", {})
    return {"searched": searched(space), "fixed": fixed(space, report.identity.get("fixed", []))}

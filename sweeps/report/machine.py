"""Section: what ran where and when, how long slots stood idle, and what failed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sweeps.report import words
from sweeps.report.machine_figures import throughput, timeline
from sweeps.report.section import Section, render
from sweeps.report.study import Report, ReportedTrial

UNKNOWN = "slot not known"


def section(report: Report) -> Section | None:
    """None for run folders that no study holds."""
    if report.study is None:
        return None
    by_slot = slots(report)
    figures = [figure for figure in (timeline(report, by_slot), throughput(report)) if figure]
    html = render(
        "machine.html",
        figures=figures,
        slots=usage(by_slot),
        failures=failures(report),
        retried=[trial for trial in report.trials if trial.attributes.get("attempts", 0) > max(len(trial.runs), 1)],
        has_seeds=any(len(trial.runs) > 1 for trial in report.trials),
        words=words,
    )
    return Section("machine", "Machine", html, tuple(figures))


def slots(report: Report) -> dict[str, list[ReportedTrial]]:
    """The trials that ran and ended, by their slot; a reused result took no time."""
    found: dict[str, list[ReportedTrial]] = defaultdict(list)
    for trial in report.trials:
        if trial.seconds is not None and "reused_from" not in trial.attributes:
            found[trial.attributes.get("slot") or UNKNOWN].append(trial)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Usage:
    """How long a slot had a trial, in s, of the time in which any slot had one."""

    slot: str
    num_trials: int
    busy_s: float
    any_busy_s: float

    @property
    def idle_share(self) -> float:
        return 1 - self.busy_s / self.any_busy_s if self.any_busy_s else 0.0


def usage(by_slot: dict[str, list[ReportedTrial]]) -> list[Usage]:
    """A row a slot. A pause of the whole study counts for no slot."""
    whole = covered_s([trial for trials in by_slot.values() for trial in trials])
    return [Usage(slot, len(trials), covered_s(trials), whole) for slot, trials in by_slot.items()]


def covered_s(trials: list[ReportedTrial]) -> float:
    """Seconds in which at least one of the trials ran."""
    spans = sorted((trial.started, trial.ended) for trial in trials if trial.started and trial.ended)
    total, until = 0.0, datetime.min.replace(tzinfo=spans[0][0].tzinfo) if spans else None
    for start, end in spans:
        if until is None or end > until:
            total += (end - (start if until is None else max(start, until))).total_seconds()
            until = end
    return total


@dataclass(frozen=True)
class Failure:
    """A reason, and the trials that failed for it."""

    reason: str
    numbers: list[int]
    traceback: str


def failures(report: Report) -> list[Failure]:
    """Most frequent first."""
    by_reason: dict[str, list[ReportedTrial]] = defaultdict(list)
    for trial in report.trials:
        if trial.state == "fail":
            by_reason[trial.reason or "no reason was kept"].append(trial)
    found = [
        Failure(
            reason,
            [t.number for t in trials],
            next((t.attributes["traceback"] for t in trials if "traceback" in t.attributes), ""),
        )
        for reason, trials in by_reason.items()
    ]
    return sorted(found, key=lambda failure: -len(failure.numbers))

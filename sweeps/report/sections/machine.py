"""Section: what ran where and when, how long slots stood idle, and what failed or was lost."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.report import format as words
from sweeps.report.figures.job_spans import Span, host_of, slots
from sweeps.report.figures.machine import throughput, timeline
from sweeps.report.model import Report
from sweeps.report.section import Section, render
from sweeps.study.attributes import SLOTS, TRACEBACK
from sweeps.study.job_records import LOST


def section(report: Report) -> Section | None:
    """None for run folders that no study holds."""
    if report.study is None:
        return None
    by_slot = slots(report)
    figures = [figure for figure in (timeline(by_slot, report.replicate), throughput(report)) if figure]
    html = render(
        "machine.html",
        figures=figures,
        slots=usage(report, by_slot),
        failures=failures(report),
        lost=lost_jobs(report),
        words=words,
    )
    return Section("machine", "Machine", html, tuple(figures))


@dataclass(frozen=True)
class Usage:
    """How long a slot had a job, in s, of the time in which any slot had one."""

    slot: str
    num_jobs: int
    busy_s: float
    any_busy_s: float

    @property
    def idle_share(self) -> float:
        return 1 - self.busy_s / self.any_busy_s if self.any_busy_s else 0.0


def usage(report: Report, by_slot: dict[str, list[Span]]) -> list[Usage]:
    """One row per slot, and one for those that never had a job. A pause of the whole study counts for no slot."""
    whole = covered_s([span for spans in by_slot.values() for span in spans])
    rows = [Usage(slot, len(spans), covered_s(spans), whole) for slot, spans in by_slot.items()]
    unused = _num_unused(report, by_slot)
    return rows + (
        [Usage(f"{words.several(unused, 'slot')} without any job", 0, 0.0, whole)] if unused and rows else []
    )


def _num_unused(report: Report, by_slot: dict[str, list[Span]]) -> int:
    """Slots that controllers had, by machine the most that one of them had, less those that had a job."""
    assert report.study is not None
    attributes = report.study.user_attrs
    had: Counter[str] = Counter()
    for name, num in attributes.items():
        if name.startswith(SLOTS):
            host = host_of(attributes, name.removeprefix(SLOTS))
            had[host] = max(had[host], num)
    if any(span.record.slot is None for spans in by_slot.values() for span in spans):
        return 0  # not known
    used = Counter(spans[0].host for spans in by_slot.values())
    return sum(max(0, num - used[host]) for host, num in had.items())


def covered_s(spans: Sequence[Span]) -> float:
    """Seconds in which at least one of the jobs ran."""
    total, until_s = 0.0, float("-inf")
    for span in sorted(spans, key=lambda span: span.began_s):
        total += max(0.0, span.ended_s - max(span.began_s, until_s))
        until_s = max(until_s, span.ended_s)
    return total


@dataclass(frozen=True)
class Reason:
    """What trials failed for, or jobs were lost for.

    Args:
        num: of trials, or of jobs.
        numbers: of the trials.
    """

    reason: str
    num: int
    numbers: list[int]
    traceback: str = ""


def failures(report: Report) -> list[Reason]:
    """Of trials, most frequent first."""
    failed = [(t.reason or "no reason was kept", t) for t in report.trials if t.state == "fail"]
    found = []
    for reason, numbers in _by_reason([(reason, trial.number) for reason, trial in failed]).items():
        traces = (report.by_number[number].attributes.get(TRACEBACK, "") for number in numbers)
        found.append(Reason(reason, len(numbers), numbers, next(filter(None, traces), "")))
    return sorted(found, key=lambda failure: -failure.num)


def lost_jobs(report: Report) -> list[Reason]:
    """Jobs whose worker or controller died, most frequent first."""
    lost = [(record.reason, t.number) for t in report.trials for record in t.jobs if record.ending == LOST]
    found = [Reason(reason, len(numbers), list(dict.fromkeys(numbers))) for reason, numbers in _by_reason(lost).items()]
    return sorted(found, key=lambda reason: -reason.num)


def _by_reason(pairs: list[tuple[str, int]]) -> dict[str, list[int]]:
    by_reason: dict[str, list[int]] = defaultdict(list)
    for reason, number in pairs:
        by_reason[reason].append(number)
    return by_reason

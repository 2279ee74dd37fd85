"""The jobs of a study on the clock: from when to when each had which slot."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.report.model import Report, ReportedTrial
from sweeps.study.controllers import SIGNATURE
from sweeps.study.job_records import JobNote, last_sign_s

UNKNOWN = "slot not known"


@dataclass(frozen=True)
class Span:
    """A job of a trial.

    Args:
        host: the machine of its controller.
        ended_s: in seconds since 1970; of a job that runs, when its controller last gave a sign of life.
    """

    trial: ReportedTrial
    note: JobNote
    host: str
    ended_s: float

    @property
    def began_s(self) -> float:
        return self.note.began_s


def slots(report: Report) -> dict[str, list[Span]]:
    """The jobs by their slot, in the order of the names; with several machines the names begin with theirs."""
    assert report.study is not None
    attributes = report.study.user_attrs
    spans = [_span(trial, note, attributes) for trial in report.trials for note in trial.jobs]
    has_several = len({span.host for span in spans}) > 1
    found: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        name = span.note.slot or UNKNOWN
        found[f"{span.host}: {name}" if has_several else name].append(span)
    return dict(sorted(found.items()))


def host_of(attributes: Mapping[str, Any], controller: str) -> str:
    """The name of a controller's machine, by the attributes of the study; empty if they do not say."""
    machine: str = attributes.get(f"{SIGNATURE}{controller}", {}).get("machine", "")
    return machine.partition(" ")[0]


def _span(trial: ReportedTrial, note: JobNote, attributes: Mapping[str, Any]) -> Span:
    ended_s = note.ended_s if note.ended_s is not None else last_sign_s(note, attributes)
    return Span(trial, note, host_of(attributes, note.controller), ended_s)

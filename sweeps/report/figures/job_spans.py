"""The jobs of a study on the clock: from when to when each had which slot."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.report.model import Report, ReportedTrial
from sweeps.study.attributes import SIGNATURE
from sweeps.study.job_records import JobRecord, last_sign_s

UNKNOWN = "slot not known"
# In a record this and the number of its SLURM job follow the slot. No other job has that number.
JOB_OF_SLURM = " on job "


@dataclass(frozen=True)
class Span:
    """A job of a trial.

    Args:
        host: the machine of its controller.
        ended_s: in seconds since 1970; of a job that runs, when its controller last gave a sign of life.
    """

    trial: ReportedTrial
    record: JobRecord
    host: str
    ended_s: float

    @property
    def began_s(self) -> float:
        return self.record.began_s


def slots(report: Report) -> dict[str, list[Span]]:
    """The jobs by their slot, in the order of the names; with several machines the names begin with theirs."""
    assert report.study is not None
    attributes = report.study.user_attrs
    spans = [_span(trial, record, attributes) for trial in report.trials for record in trial.jobs]
    has_several = len({span.host for span in spans}) > 1
    found: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        name = slot_of(span.record) or UNKNOWN
        found[f"{span.host}: {name}" if has_several else name].append(span)
    return dict(sorted(found.items()))


def slot_of(record: JobRecord) -> str:
    """The slot of a job, which later jobs have too; empty if it is not known."""
    return (record.slot or "").partition(JOB_OF_SLURM)[0]


def host_of(attributes: Mapping[str, Any], controller: str) -> str:
    """The name of a controller's machine, by the attributes of the study; empty if they do not say."""
    machine: str = attributes.get(f"{SIGNATURE}{controller}", {}).get("machine", "")
    return machine.partition(" ")[0]


def _span(trial: ReportedTrial, record: JobRecord, attributes: Mapping[str, Any]) -> Span:
    ended_s = record.ended_s if record.ended_s is not None else last_sign_s(record, attributes)
    return Span(trial, record, host_of(attributes, record.controller), ended_s)

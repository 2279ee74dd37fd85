"""The jobs of a trial as its study keeps them: where and when each ran, and how it ended."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweeps.study.attributes import JOBS, SIGNATURE
from sweeps.study.known_fields import known_fields

LOST, PRUNED, OUTSIDE, FAILED, DONE = "lost", "pruned", "outside", "failed", "done"
STOPPED = "stopped"  # how a job ended with its command


@dataclass
class JobRecord:
    """A job, from its place in a slot to its end.

    Args:
        controller: that ran it.
        began_s, ended_s: in seconds since 1970; no end where it runs, or where nobody saw it.
        slot: None if the launcher does not tell.
        ending: a kind of sweeps/loop/outcome.py, or "stopped"; empty while it runs.
        reason: of an ending that is not "done".
    """

    seed_index: int
    controller: str
    began_s: float
    ended_s: float | None = None
    slot: str | None = None
    ending: str = ""
    reason: str = ""

    def place(self, slot: str | None) -> None:
        """It has a slot by now, or waits for one, which is no part of its time."""
        self.slot = slot
        if slot is None:
            self.began_s = _now_s()

    def end(self, ending: str, reason: str, slot: str | None) -> None:
        self.slot, self.ended_s, self.ending, self.reason = slot or self.slot, _now_s(), ending, reason


def begin_record(seed_index: int, controller: str) -> JobRecord:
    return JobRecord(seed_index, controller, _now_s())


def records_of(attributes: Mapping[str, Any]) -> list[JobRecord]:
    """The jobs that a trial's attributes report, in the order in which they began."""
    return [JobRecord(**known_fields(JobRecord, stored)) for stored in attributes.get(JOBS, [])]


def as_attribute(records: Sequence[JobRecord]) -> list[dict[str, Any]]:
    return [asdict(record) for record in records]


def close_left(records: Sequence[JobRecord], study_attributes: Mapping[str, Any]) -> None:
    """End the jobs of a controller that has died over them, at its last sign of life."""
    for record in records:
        if not record.ending:
            record.ended_s = last_sign_s(record, study_attributes)
            record.ending, record.reason = LOST, "its controller was lost"


def last_sign_s(record: JobRecord, study_attributes: Mapping[str, Any]) -> float:
    """When the controller of a job that has no end was last known to be alive, in seconds since 1970."""
    beat: float = study_attributes.get(f"{SIGNATURE}{record.controller}", {}).get("beat", record.began_s)
    return max(beat, record.began_s)


def seconds_of(attributes: Mapping[str, Any]) -> float | None:
    """What the jobs of a trial took together, in seconds, those that were lost too; None if none has ended."""
    ended = [record.ended_s - record.began_s for record in records_of(attributes) if record.ended_s is not None]
    return round(sum(ended), 3) if ended else None


def _now_s() -> float:
    return round(time.time(), 3)

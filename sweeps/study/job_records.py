"""Records of a trial's jobs, stored in its study: where and when each job ran, and how it ended."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweeps.study.attributes import JOBS, SIGNATURE
from sweeps.study.known_fields import known_fields

LOST, PRUNED, OUTSIDE, FAILED, DONE = "lost", "pruned", "outside", "failed", "done"
PAUSED = "paused"  # the ending of a job whose trial its pruner has paused
STOPPED = "stopped"  # the ending of a job that was stopped together with its command


@dataclass
class JobRecord:
    """One start of a job, from its place in a slot to its end.

    Args:
        controller: id of the controller that ran it.
        began_s, ended_s: in seconds since 1970; ended_s is None while it runs, or if its end was not seen.
        slot: None if the launcher does not say.
        ending: one of the words above; empty while it runs.
        reason: for its ending, unless that is "done".
    """

    seed_index: int
    controller: str
    began_s: float
    ended_s: float | None = None
    slot: str | None = None
    ending: str = ""
    reason: str = ""

    def place(self, slot: str | None) -> None:
        """Record the slot of the job, if it has one by now. The time until then is not counted."""
        self.slot = slot
        if slot is None:
            self.began_s = _now_s()

    def end(self, ending: str, reason: str, slot: str | None, ran_s: float | None = None) -> None:
        """Record the end of the job. If it is known how long it ran, its time in a cluster's queue is not counted."""
        self.slot, self.ended_s, self.ending, self.reason = slot or self.slot, _now_s(), ending, reason
        if ran_s is not None:
            began_s = round(self.ended_s - ran_s, 3)
            was_set_back = self.ended_s < self.began_s  # the clock, during the job
            self.began_s = began_s if was_set_back else max(self.began_s, began_s)


def begin_record(seed_index: int, controller: str) -> JobRecord:
    return JobRecord(seed_index, controller, _now_s())


def records_of(attributes: Mapping[str, Any]) -> list[JobRecord]:
    """The job records in a trial's attributes, in the order in which the jobs began."""
    return [JobRecord(**known_fields(JobRecord, stored)) for stored in attributes.get(JOBS, [])]


def as_attribute(records: Sequence[JobRecord]) -> list[dict[str, Any]]:
    return [asdict(record) for record in records]


def close_left(records: Sequence[JobRecord], study_attributes: Mapping[str, Any]) -> None:
    """End the open records of dead controllers, at the time of their last heartbeat."""
    for record in records:
        if not record.ending:
            record.ended_s = last_sign_s(record, study_attributes)
            record.ending, record.reason = LOST, "its controller was lost"


def last_sign_s(record: JobRecord, study_attributes: Mapping[str, Any]) -> float:
    """When the controller of an unfinished job was last known to be alive, in seconds since 1970."""
    beat: float = study_attributes.get(f"{SIGNATURE}{record.controller}", {}).get("beat", record.began_s)
    return max(beat, record.began_s)


def seconds_of(attributes: Mapping[str, Any]) -> float | None:
    """The total time of a trial's jobs in seconds, including lost ones; None if none has ended.

    A job during which the clock was set back counts for nothing, unless it is known how long it ran.
    """
    ended = [
        max(record.ended_s - record.began_s, 0.0) for record in records_of(attributes) if record.ended_s is not None
    ]
    return round(sum(ended), 3) if ended else None


def _now_s() -> float:
    return round(time.time(), 3)

"""The jobs of a trial as its study keeps them: where and when each ran, and how it ended."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweeps.study.controllers import SIGNATURE
from sweeps.study.known_fields import known_fields

LOST, PRUNED, OUTSIDE, FAILED, DONE = "lost", "pruned", "outside", "failed", "done"
JOBS = "jobs"  # the attribute of a trial
SLOTS = "slots:"  # with a controller's id the attribute of a study that tells how many jobs that can run at once
STOPPED = "stopped"  # how a job ended with its command


@dataclass
class JobNote:
    """A job, from its place in a slot to its end.

    Args:
        controller: that ran it.
        began_s, ended_s: in seconds since 1970; no end where it runs, or where nobody saw it.
        slot: None where the launcher does not tell.
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


def begin_note(seed_index: int, controller: str) -> JobNote:
    return JobNote(seed_index, controller, _now_s())


def notes_of(attributes: Mapping[str, Any]) -> list[JobNote]:
    """The jobs that a trial's attributes tell of, in the order in which they began."""
    return [JobNote(**known_fields(JobNote, noted)) for noted in attributes.get(JOBS, [])]


def as_attribute(notes: Sequence[JobNote]) -> list[dict[str, Any]]:
    return [asdict(note) for note in notes]


def close_left(notes: Sequence[JobNote], study_attributes: Mapping[str, Any]) -> None:
    """End the jobs of a controller that has died over them, at its last sign of life."""
    for note in notes:
        if not note.ending:
            note.ended_s = last_sign_s(note, study_attributes)
            note.ending, note.reason = LOST, "its controller was lost"


def last_sign_s(note: JobNote, study_attributes: Mapping[str, Any]) -> float:
    """When the controller of a job that has no end was last known to be alive, in seconds since 1970."""
    beat: float = study_attributes.get(f"{SIGNATURE}{note.controller}", {}).get("beat", note.began_s)
    return max(beat, note.began_s)


def seconds_of(attributes: Mapping[str, Any]) -> float | None:
    """What the jobs of a trial took together, in seconds, those that were lost too; None where none has ended."""
    ended = [note.ended_s - note.began_s for note in notes_of(attributes) if note.ended_s is not None]
    return round(sum(ended), 3) if ended else None


def _now_s() -> float:
    return round(time.time(), 3)

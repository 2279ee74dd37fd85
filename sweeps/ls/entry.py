"""One row of the list: a study or a run."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

UNITS = ((24 * 3600, "d"), (3600, "h"), (60, "min"))


@dataclass(frozen=True)
class Entry:
    """A study, a run, a baseline or a pretraining.

    Args:
        kind: study, run (of a network), ensemble (of runs), baseline (of a classical method) or
            pretraining (without labels).
        status: running, finished, stopped, stale or failed; for the run of a trial also pruned or paused.
        num_done: trials that have ended, epochs, or members of an ensemble; 0 of a baseline, which has none.
        num_total: trials or epochs that were asked for; None if unknown.
        values: of the objectives; None if there are none yet.
        values_of: what has these values: best trial; of a run last epoch, or best epoch with schedule.keep=best unless
            it was pruned, as Optuna has it; of a baseline only fit, of an ensemble average.
        changed_s: time of its last change, in seconds since 1970.
    """

    name: str
    kind: str
    status: str
    num_done: int
    num_total: int | None
    objectives: list[str]
    values: Sequence[float] | None
    values_of: str
    changed_s: float
    folder: Path

    @property
    def age_s(self) -> float:
        """Seconds since its last change."""
        return max(0.0, time.time() - self.changed_s)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "age_s": round(self.age_s, 1), "folder": str(self.folder)}

    def cells(self) -> list[str]:
        """Name, kind, status, progress, score, objective, age."""
        unit = {"study": "trial", "ensemble": "network"}.get(self.kind, "epoch")
        unit += "s" * ((self.num_total or self.num_done) != 1)
        of = "" if self.num_total is None else f" of {self.num_total}"
        which = self.values_of.partition(" ")[0]
        score = " ".join([which, *(f"{value:.4f}" for value in self.values)]) if self.values else "-"
        progress = "-" if self.kind == "baseline" else f"{self.num_done}{of} {unit}"
        return [self.name, self.kind, self.status, progress, score, " ".join(self.objectives), age(self.age_s)]


def age(seconds: float) -> str:
    """A time in its largest whole unit: "3 d", "2 h", "5 min", "12 s"."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds // 1:.0f} s"

"""A trial while it runs: its jobs, one for each seed, and what came of them."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.study.job_records import JobRecord

if TYPE_CHECKING:
    from optuna.trial import Trial, TrialState


@dataclass(eq=False)
class Job:
    """One run of the task function."""

    run: "TrialRun"
    seed_index: int
    num: int
    overrides: list[str]
    num_lost: int = 0
    record: JobRecord | None = None  # from its start on

    def may_run_again(self, max_retries: int) -> bool:
        """Asked when it was lost, which this counts."""
        self.num_lost += 1
        return self.num_lost <= max_retries


@dataclass(eq=False)
class TrialRun:
    """What the controller knows of a trial that it runs.

    Args:
        configuration: axis -> value.
        seeds: None for a single job with the configuration's own seed.
        results: by seed index, a value an objective.
        violations: of the constraints, by name; empty where none was judged yet.
        records: of its jobs, those of earlier controllers too.
        ending: how the trial will end once none of its jobs runs any more; None while that is open.
    """

    trial: "Trial"
    configuration: dict[str, Any]
    overrides: list[str]
    folder: Path
    seeds: list[int] | None
    results: dict[int, list[float]] = field(default_factory=dict)
    num_in_flight: int = 0
    records: list[JobRecord] = field(default_factory=list)
    violations: dict[str, float] = field(default_factory=dict)
    ending: "tuple[TrialState, str] | None" = None
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.trial.number

    @property
    def num_seeds(self) -> int:
        return len(self.seeds) if self.seeds else 1

    @property
    def missing(self) -> list[int]:
        """Indices of the seeds without a result."""
        return [k for k in range(self.num_seeds) if k not in self.results]

    @property
    def num_attempts(self) -> int:
        """How often its job was started, by earlier controllers too; of several seeds the most of one."""
        return max(Counter(record.seed_index for record in self.records).values(), default=0)

    @property
    def seed_values(self) -> dict[str, list[float]]:
        """The results by seed, as the study keeps them."""
        return {str(seed): self.results[k] for k, seed in enumerate(self.seeds or []) if k in self.results}

    def remember(self, seed_values: dict[str, list[float]]) -> None:
        """Take over results that the study has kept."""
        self.results = {k: seed_values[str(s)] for k, s in enumerate(self.seeds or []) if str(s) in seed_values}

    def folder_of(self, seed_index: int) -> Path:
        return self.folder / f"seed-{seed_index}" if self.seeds else self.folder

    @property
    def values(self) -> list[float]:
        """The mean over seeds of each objective."""
        return [statistics.fmean(column) for column in self._columns]

    @property
    def spread(self) -> list[float]:
        """The standard deviation over seeds (n - 1) of each objective; 0 for a single one."""
        return [statistics.stdev(column) if len(column) > 1 else 0.0 for column in self._columns]

    @property
    def _columns(self) -> Sequence[tuple[float, ...]]:
        return list(zip(*(self.results[k] for k in sorted(self.results)), strict=True))

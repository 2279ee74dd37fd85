"""A running trial: its jobs, one for each seed, and their results."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.loop.trial_state import State
from sweeps.study.job_records import JobRecord, begin_record

if TYPE_CHECKING:
    from optuna.trial import Trial, TrialState


@dataclass(eq=False)
class Job:
    """One run of the task function."""

    run: "TrialRun"
    seed_index: int
    num: int
    overrides: list[str]
    num_failed_starts: int = 0  # in a row
    record: JobRecord | None = None  # of its last start

    @property
    def has_begun(self) -> bool:
        """Whether the job was seen to run since its last start."""
        return self.record is not None and self.record.slot is not None

    def begin_record(self, controller: str) -> None:
        """Begin the record of a start, and add it to the records of the trial."""
        self.record = begin_record(self.seed_index, controller)
        self.run.records.append(self.record)

    def end_record(self, ending: str, reason: str, slot: str | None, ran_s: float | None = None) -> None:
        """End the record of the last start."""
        assert self.record
        self.record.end(ending, reason, slot, ran_s)
        self.num_failed_starts = 0

    def withdraw_record(self) -> None:
        """Remove the record of the last start, since the job did not start."""
        self.run.records = [record for record in self.run.records if record is not self.record]
        self.record = None
        self.num_failed_starts += 1


@dataclass(eq=False)
class TrialRun:
    """What the controller knows about a trial that it runs.

    Args:
        configuration: axis -> value.
        seeds: None for a single job with the configuration's own seed.
        results: by seed index, one value per objective.
        violations: how far each number is outside its constraint, by name; empty before they are checked.
        state: what the trial is doing; only trial_state.py changes it.
        waits_for: number of the earlier trial with the same configuration, while this one is a DUPLICATE.
        records: of its jobs, including those of earlier controllers.
        num_records_before_retry: how many of the records belong to the failed trial that this one replaces.
        ending: how the trial will end once none of its jobs runs any more; None while that is not decided.
    """

    trial: "Trial"
    configuration: dict[str, Any]
    overrides: list[str]
    folder: Path
    seeds: list[int] | None
    state: State = State.CLAIMED
    waits_for: int | None = None
    results: dict[int, list[float]] = field(default_factory=dict)
    num_in_flight: int = 0
    records: list[JobRecord] = field(default_factory=list)
    num_records_before_retry: int = 0
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
        """How often its job was started, also by earlier controllers; with several seeds, the largest such number."""
        return max(Counter(record.seed_index for record in self.records).values(), default=0)

    def attempts(self, seed_index: int) -> list[JobRecord]:
        """The records of a seed's job that count for its retries."""
        return [record for record in self.records[self.num_records_before_retry :] if record.seed_index == seed_index]

    @property
    def seed_values(self) -> dict[str, list[float]]:
        """The results by seed, as stored in the study."""
        return {str(seed): self.results[k] for k, seed in enumerate(self.seeds or []) if k in self.results}

    def remember(self, seed_values: dict[str, list[float]]) -> None:
        """Load results that are stored in the study, of the runs that are here: a trial is judged by its files too."""
        known = {k: seed_values[str(s)] for k, s in enumerate(self.seeds or []) if str(s) in seed_values}
        self.results = {k: values for k, values in known.items() if self.is_here(k)}

    def folder_of(self, seed_index: int) -> Path:
        return self.folder / f"seed-{seed_index}" if self.seeds else self.folder

    def is_here(self, seed_index: int) -> bool:
        """Whether the finished run of a seed is on this machine: without a shared disk it may be on another.

        A program other than Spectral has no lock of its runs, and may write no result.json.
        """
        folder = self.folder_of(seed_index)
        return folder.is_dir() and ((folder / "result.json").is_file() or not (folder / "run.lock").exists())

    @property
    def values(self) -> list[float]:
        """The mean over seeds of each objective."""
        return [statistics.fmean(column) for column in self._columns]

    @property
    def spread(self) -> list[float]:
        """The standard deviation over seeds (n - 1) of each objective; 0 for a single seed."""
        return [statistics.stdev(column) if len(column) > 1 else 0.0 for column in self._columns]

    @property
    def _columns(self) -> Sequence[tuple[float, ...]]:
        return list(zip(*(self.results[k] for k in sorted(self.results)), strict=True))

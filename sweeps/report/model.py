"""What a report is about: trials with their runs, of a study or of run folders that no study holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna

from sweeps.invocation import DEFAULT
from sweeps.objective import Direction
from sweeps.report.options import Options
from sweeps.results.run import Run
from sweeps.results.seeds_or_folds import Replicate, replicate_of
from sweeps.results.sweep_ensemble import SweepEnsemble
from sweeps.study.attributes import REUSED_FROM
from sweeps.study.job_records import JobRecord, records_of, seconds_of


@dataclass(frozen=True)
class ReportedTrial:
    """A trial as the report shows it.

    Args:
        state: complete, pruned, fail, running, paused or waiting.
        values: one per objective; None if the trial has none.
        configuration: axis -> value.
        steps: epoch -> first objective, as the trial reported it; see `Report.steps_are_seeds`.
        attributes: of the trial in its study, see sweeps/study/attributes.py.
        runs: one a seed; without those whose folder is gone, or whose files cannot be read.
        is_candidate: complete, within the constraints, and not a copy of another trial.
        of_folder: what names a run that no study holds.
    """

    number: int
    state: str
    values: tuple[float, ...] | None
    configuration: dict[str, Any]
    overrides: list[str]
    reason: str
    started: datetime | None
    ended: datetime | None
    steps: dict[int, float]
    attributes: dict[str, Any]
    runs: tuple[Run, ...]
    is_candidate: bool
    of_folder: str = ""

    @property
    def title(self) -> str:
        """What the page calls it."""
        return self.of_folder or f"trial {self.number}"

    @property
    def is_outside(self) -> bool:
        """Whether it ended well, but outside the constraints; a copy of another trial is not counted."""
        return (
            bool(self.values)
            and self.state == "complete"
            and not self.is_candidate
            and REUSED_FROM not in self.attributes
        )

    @property
    def state_in_words(self) -> str:
        return f"{self.state}, outside the constraints" if self.is_outside else self.state

    @cached_property
    def jobs(self) -> list[JobRecord]:
        """In the order in which they began; none for a trial whose result is reused."""
        return records_of(self.attributes)

    @property
    def seconds(self) -> float | None:
        """What its jobs took together, see sweeps/study/job_records.py."""
        return seconds_of(self.attributes)


@dataclass(frozen=True)
class Report:
    """Everything that sections read.

    Args:
        name: of the study, or of the folder.
        trials: by number.
        best_first: numbers of the candidates, best first (of several objectives the Pareto front first).
        num_trials: the total that was asked for; None if nobody asked for one.
        program: the first words of the command that runs a configuration by itself.
        study: None for run folders without a study.
        reference_number: of the trial of the reference, see sweeps/results/ranking.py.
        ensemble: of the best trials, if the sweep has made one.
        identity: what the study searches, see sweeps/study/identity.py: space, objectives, fixed values.
        steps_are_seeds: whether the steps of trials are their seeds, from 0 on (`sweep.pruner=wilcoxon`), not epochs.
        left_out: why some runs are left out, one sentence per run.
        options: what the command line asked for.
    """

    name: str
    folder: Path
    objectives: list[str]
    directions: list[Direction]
    trials: list[ReportedTrial]
    best_first: list[int]
    num_trials: int | None = None
    program: Sequence[str] = DEFAULT
    study: optuna.Study | None = None
    reference_number: int | None = None
    ensemble: SweepEnsemble | None = None
    identity: dict[str, Any] = field(default_factory=dict)
    steps_are_seeds: bool = False
    left_out: list[str] = field(default_factory=list)
    options: Options = Options()

    @cached_property
    def by_number(self) -> dict[int, ReportedTrial]:
        return {trial.number: trial for trial in self.trials}

    @property
    def best(self) -> ReportedTrial | None:
        return self.by_number[self.best_first[0]] if self.best_first else None

    @property
    def best_run(self) -> Run | None:
        """The run of the best trial, of several seeds the first one; None if no run has finished."""
        return next((run for run in self.best.runs if run.result), None) if self.best else None

    @property
    def reference(self) -> ReportedTrial | None:
        """The first configuration of `sweep.enqueue`, if the search was given one."""
        return None if self.reference_number is None else self.by_number[self.reference_number]

    @property
    def seed_key(self) -> str:
        """The key of which a trial has several values, if it has several runs."""
        return self.identity.get("seed_key") or "seed"

    @property
    def is_chosen_on_validation(self) -> bool:
        """Whether the first objective, which chooses the best trial, is a validation score: that one is flattered."""
        return self.objectives[0].startswith("val/")

    @property
    def replicate(self) -> Replicate:
        """What one of several runs of a trial is."""
        return replicate_of(self.seed_key)

    @property
    def step(self) -> str:
        """What a step of a trial is."""
        return self.replicate if self.steps_are_seeds else "epoch"

    @property
    def axes(self) -> list[str]:
        """Every axis that some trial has, in the order of their first use."""
        return list(dict.fromkeys(axis for trial in self.trials for axis in trial.configuration))

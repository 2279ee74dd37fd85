"""What a report is about: trials with their runs, read from a study or from run folders that no study holds."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from sweeps.opening import load_study, study_folder
from sweeps.places import SWEEPS
from sweeps.ranking import ranked
from sweeps.report.options import Options
from sweeps.report.runs import Run
from sweeps.rows import configuration
from sweeps.run_dirs import run_dirs
from sweeps.study import IDENTITY

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class ReportedTrial:
    """A trial as the report shows it.

    Args:
        state: complete, pruned, fail, running or waiting.
        values: one an objective; None where the trial has none.
        configuration: axis -> value.
        steps: epoch -> first objective, as the trial reported it.
        attributes: what sweeps/loop.py notes: slot, attempts, reused_from, seed_values, spread, traceback, ...
        runs: one a seed; empty where the folder is gone.
        is_candidate: complete, within the constraints, and not a copy of another trial.
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

    @property
    def seconds(self) -> float | None:
        """From start to end, in seconds; None for a trial that has not ended."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


@dataclass(frozen=True)
class Report:
    """Everything that sections read.

    Args:
        name: of the study, or of the folder.
        trials: by number.
        best_first: numbers of the candidates, best first (of several objectives the Pareto front first).
        num_trials: the total that was asked for; None where nobody asked for one.
        best_command: the command that runs the best configuration by itself; "" where the sweep has not ended yet.
        study: None for run folders without a study.
        identity: what the study searches, as sweeps/study.py wrote it: space, objectives, fixed values.
        options: what the command line asked for.
    """

    name: str
    folder: Path
    objectives: list[str]
    directions: list[Direction]
    trials: list[ReportedTrial]
    best_first: list[int]
    num_trials: int | None = None
    best_command: str = ""
    study: optuna.Study | None = None
    identity: dict[str, Any] = field(default_factory=dict)
    options: Options = Options()

    @cached_property
    def by_number(self) -> dict[int, ReportedTrial]:
        return {trial.number: trial for trial in self.trials}

    @property
    def best(self) -> ReportedTrial | None:
        return self.by_number[self.best_first[0]] if self.best_first else None

    @property
    def best_run(self) -> Run | None:
        """The run of the best trial, of several seeds the first one; None where no run has finished."""
        return next((run for run in self.best.runs if run.result), None) if self.best else None

    @cached_property
    def reference(self) -> ReportedTrial | None:
        """The known configuration that the search began with, where it did: trial 0, if it was enqueued."""
        if self.study is None or not self.trials or self.trials[0].number != 0:
            return None
        was_enqueued = "fixed_params" in self.study.get_trials(deepcopy=False)[0].system_attrs
        return self.trials[0] if was_enqueued and self.trials[0].state == "complete" else None

    @property
    def axes(self) -> list[str]:
        """Every axis that some trial has, in the order of their first use."""
        return list(dict.fromkeys(axis for trial in self.trials for axis in trial.configuration))


def read_report(where: str, url: str | None = None, folder: Path | None = None) -> Report:
    """Args:
        where: a study's name or folder, a run folder, or a folder that holds run folders.
        url: of the study's storage, where it is not in the study's folder.
        folder: of the sweep, where `where` does not tell it.

    Raises:
        LookupError: there is neither a study nor a finished run.
    """
    if url or study_folder(where):
        return _of_study(load_study(where, url), folder or _sweep_folder(where))
    return _of_runs(Path(where))


def _sweep_folder(where: str) -> Path:
    """Where the sweep's files are, also where its study is kept in another storage."""
    return study_folder(where) or (SWEEPS / where if (SWEEPS / where).is_dir() else Path(where))


def _of_study(study: optuna.Study, folder: Path) -> Report:
    identity = study.user_attrs.get(IDENTITY, {})
    summary = _summary(folder)
    trials = study.get_trials(deepcopy=False)
    return Report(
        name=study.study_name,
        folder=folder,
        objectives=identity.get("objectives") or [f"objective {i}" for i in range(len(study.directions))],
        directions=["maximize" if d == optuna.study.StudyDirection.MAXIMIZE else "minimize" for d in study.directions],
        trials=[_of_trial(trial, folder) for trial in trials],
        best_first=[trial.number for trial in ranked(trials, study.directions)],
        num_trials=summary.get("num_trials"),
        best_command=summary.get("best_command") or "",
        study=study,
        identity=identity,
    )


def _of_trial(trial: FrozenTrial, folder: Path) -> ReportedTrial:
    known = trial.user_attrs
    return ReportedTrial(
        number=trial.number,
        state=trial.state.name.lower(),
        values=tuple(trial.values) if trial.values else None,
        configuration=configuration(trial),
        overrides=known.get("overrides", []),
        reason=known.get("reason", ""),
        started=trial.datetime_start,
        ended=trial.datetime_complete,
        steps=trial.intermediate_values,
        attributes=known,
        runs=_runs_of(known, folder),
        is_candidate=trial.state == TrialState.COMPLETE
        and "reused_from" not in known
        and all(violation <= 0 for violation in trial.constraints.values()),
    )


def _runs_of(known: dict[str, Any], folder: Path) -> tuple[Run, ...]:
    return tuple(Run(path) for path in run_dirs(known, folder))


def _of_runs(folder: Path) -> Report:
    candidates = [folder, *sorted(folder.glob("*"))] if folder.is_dir() else []
    runs = [run for path in candidates if (run := Run(path)).result]
    if not runs:
        raise LookupError(f"there is nothing to report on in {folder}: neither a study nor a finished run.")
    named = runs[0].result["objective"]
    objectives = [named] if isinstance(named, str) else list(named)
    trials = [_of_run(number, run, objectives) for number, run in enumerate(runs)]
    best_first = sorted((t.number for t in trials if t.values), key=lambda n: -(trials[n].values or (0.0,))[0])
    return Report(folder.resolve().name, folder, objectives, ["maximize"] * len(objectives), trials, best_first)


def _of_run(number: int, run: Run, objectives: list[str]) -> ReportedTrial:
    values = tuple(run.result[name] for name in objectives) if all(n in run.result for n in objectives) else None
    steps = {row["epoch"]: row[objectives[0]] for row in run.metrics if objectives[0] in row}
    return ReportedTrial(
        number,
        "complete",
        values,
        {},
        [],
        "",
        None,
        None,
        steps,
        {"run_dir": str(run.path)},
        (run,),
        values is not None,
    )


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / "sweep.json"
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return loaded

"""Read what a report is about: a study with its run folders, or run folders that no study holds."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from sweeps.files import load_json
from sweeps.invocation import DEFAULT
from sweeps.outputs import SWEEPS
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.read_run_folders import read_run_folders
from sweeps.results.ranking import ranked, reference_of
from sweeps.results.run import Run, trouble
from sweeps.results.run_dirs import run_dirs
from sweeps.results.sweep_ensemble import SweepEnsemble
from sweeps.results.trial_row import configuration
from sweeps.study.attributes import IDENTITY, OVERRIDES, PROGRAM, REASON, REUSED_FROM, SEED_VALUES, TOTAL
from sweeps.study.find import load_study, run_folder, study_folder
from sweeps.study.paused import state_name
from sweeps.study.trial_counts import standing


def read_report(where: str, url: str | None = None, folder: Path | None = None) -> Report:
    """What a report shows of a study or of run folders.

    Args:
        where: a name of a study or a run in outputs, the folder of one, or a folder that holds run folders.
        url: of the study's storage, if the study's folder does not name it.
        folder: of the sweep, if `where` does not name it.

    Raises:
        LookupError: there is neither a study nor a finished run.
        UserError: the study cannot be opened.
    """
    if url or study_folder(where):
        return _readable(report_of(load_study(where, url), folder or _sweep_folder(where)))
    folder = Path(where)
    return read_run_folders(folder if folder.is_dir() else run_folder(where) or folder)


def _sweep_folder(where: str) -> Path:
    """The folder of the sweep's files, also if its study is kept in another storage."""
    return study_folder(where) or (SWEEPS / where if (SWEEPS / where).is_dir() else Path(where))


def report_of(study: optuna.Study, folder: Path) -> Report:
    """A study as the report reads it; whether the files of its runs can be read is not looked at.

    Args:
        folder: of the sweep.
    """
    identity = study.user_attrs.get(IDENTITY, {})
    summary = _summary(folder)
    trials = standing(study.get_trials(deepcopy=False))
    reference = reference_of(trials, study.user_attrs)
    return Report(
        name=study.study_name,
        folder=folder,
        objectives=identity.get("objectives") or [f"objective {i}" for i in range(len(study.directions))],
        directions=["maximize" if d == optuna.study.StudyDirection.MAXIMIZE else "minimize" for d in study.directions],
        trials=[_of_trial(trial, folder) for trial in trials],
        best_first=[trial.number for trial in ranked(trials, study.directions)],
        num_trials=study.user_attrs.get(TOTAL) or summary.get("num_trials"),
        program=study.user_attrs.get(PROGRAM) or _program(summary),
        study=study,
        reference_number=reference.number if reference else None,
        identity=identity,
        steps_are_seeds=_are_seeds(trials, identity.get("seeds")),
    )


def _of_trial(trial: FrozenTrial, folder: Path) -> ReportedTrial:
    attributes = trial.user_attrs
    return ReportedTrial(
        number=trial.number,
        state=state_name(trial),
        values=tuple(trial.values) if trial.values else None,
        configuration=configuration(trial),
        overrides=attributes.get(OVERRIDES, []),
        reason=attributes.get(REASON, ""),
        started=trial.datetime_start,
        ended=trial.datetime_complete,
        steps=trial.intermediate_values,
        attributes=attributes,
        runs=tuple(Run(path) for path in run_dirs(attributes, folder)),
        is_candidate=trial.state == TrialState.COMPLETE
        and REUSED_FROM not in attributes
        and all(violation <= 0 for violation in trial.constraints.values()),
    )


def _are_seeds(trials: Sequence[FrozenTrial], seeds: Any) -> bool:
    """Whether the steps of trials are the results of their seeds. A study does not store which pruner it has.

    Args:
        seeds: of the search, as a study stores them: 1, or a list.
    """
    reported = [trial for trial in trials if trial.intermediate_values]
    if not reported or not isinstance(seeds, list):
        return False
    for trial in reported:
        known = trial.user_attrs.get(SEED_VALUES, {})
        by_index = {k: known[str(seed)][0] for k, seed in enumerate(seeds) if str(seed) in known}
        if not trial.intermediate_values.items() <= by_index.items():
            return False
    return True


def _summary(folder: Path) -> dict[str, Any]:
    """sweep.json; empty if there is none that can be read: what it adds to the study is a convenience."""
    try:
        return load_json(folder / "sweep.json")
    except (OSError, ValueError):
        return {}


def _program(summary: Mapping[str, Any]) -> list[str]:
    """The first words of the best command, for a study that does not store its program."""
    given = shlex.split(summary.get("best_command") or "") or list(DEFAULT)
    return given[: 2 if given[0] == "python" else 1]


def _readable(report: Report) -> Report:
    """The same report without the runs of which a file cannot be read that the page needs."""
    compared = [trial.number for trial in (report.best, report.reference) if trial]
    trials, reasons = [], []
    for trial in report.trials:
        parts = ["result", "metrics"]
        parts += ["predictions"] * (trial.number in compared) + ["config"] * (not trial.configuration)
        found = [(run, trouble(run, *parts)) for run in trial.runs]
        reasons += [reason for _, reason in found if reason]
        trials.append(dataclasses.replace(trial, runs=tuple(run for run, reason in found if not reason)))
    # Trials of the same configuration share their run.
    read = dataclasses.replace(report, trials=trials, left_out=list(dict.fromkeys(reasons)))
    if read.best is None:
        return read
    return dataclasses.replace(read, ensemble=SweepEnsemble.of(read.folder, read.best.runs, read.best.title))

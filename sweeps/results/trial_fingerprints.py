"""On which data the trials of a study were run: the fingerprint in result.json, which the study keeps with each."""

from collections.abc import Sequence
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from sweeps.errors import user_error_type
from sweeps.results.run_dirs import run_dirs
from sweeps.results.run_files import load_result
from sweeps.study.attributes import FINGERPRINT, REUSED_FROM


def stored_fingerprints(trials: Sequence[FrozenTrial]) -> dict[int, str]:
    """By number of trial, as the study keeps it, for complete trials that ran by themselves."""
    return {trial.number: trial.user_attrs[FINGERPRINT] for trial in _ran(trials) if FINGERPRINT in trial.user_attrs}


def all_fingerprints(trials: Sequence[FrozenTrial], folder: Path) -> dict[int, str]:
    """The same, and from the run folders of trials of an earlier version, with which the study keeps none."""
    found = stored_fingerprints(trials)
    for trial in _ran(trials):
        if trial.number not in found and (of_runs := fingerprints_of(run_dirs(trial.user_attrs, folder))):
            found[trial.number] = of_runs[0]
    return found


def fingerprints_of(folders: Sequence[Path]) -> list[str]:
    """The different fingerprints in the result.json of run folders; empty if none names one."""
    return list(dict.fromkeys(name for folder in folders if (name := _of_run(folder))))


def _ran(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [t for t in trials if t.state == TrialState.COMPLETE and REUSED_FROM not in t.user_attrs]


def _of_run(folder: Path) -> str:
    try:
        survey = load_result(folder / "result.json").get("survey")
    except user_error_type():  # whoever needs the result says that it cannot be read
        return ""
    return str(survey.get("fingerprint", "")) if isinstance(survey, dict) else ""

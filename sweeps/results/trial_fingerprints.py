"""On which data the trials of a study were run: the fingerprint that each run writes down, which the study keeps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.errors import user_error_type
from sweeps.files import load_json
from sweeps.results.run_dirs import run_dirs
from sweeps.results.run_files import load_result
from sweeps.study.attributes import FINGERPRINT, REUSED_FROM
from sweeps.study.paused import is_paused


def stored_fingerprints(trials: Sequence[FrozenTrial]) -> dict[int, str]:
    """By number of trial, as the study keeps it, for trials that ran by themselves and have not failed."""
    return {trial.number: trial.user_attrs[FINGERPRINT] for trial in _ran(trials) if FINGERPRINT in trial.user_attrs}


def all_fingerprints(trials: Sequence[FrozenTrial], folder: Path) -> dict[int, str]:
    """The same, and from the run folders of trials of an earlier version, with which the study keeps none."""
    found = stored_fingerprints(trials)
    compared = (trial for trial in _ran(trials) if trial.state.is_finished() or is_paused(trial))
    for trial in compared:
        if trial.number not in found and (of_runs := fingerprints_of(run_dirs(trial.user_attrs, folder))):
            found[trial.number] = of_runs[0]
    return found


def fingerprints_of(folders: Sequence[Path]) -> list[str]:
    """The different fingerprints that run folders name; empty if none names one."""
    return list(dict.fromkeys(name for folder in folders if (name := _of_run(folder))))


def _ran(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [t for t in trials if t.state != TrialState.FAIL and REUSED_FROM not in t.user_attrs]


def _of_run(folder: Path) -> str:
    """The fingerprint in result.json, or in data.json if the run has not ended; empty if there is none."""
    try:
        survey: Any = load_result(folder / "result.json").get("survey") or load_json(folder / "data.json")
    except (OSError, ValueError, user_error_type()):  # whoever needs the result says that it cannot be read
        return ""
    return str(survey.get("fingerprint", "")) if isinstance(survey, dict) else ""

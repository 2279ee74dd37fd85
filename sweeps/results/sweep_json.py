"""sweep.json, the results of a study in its folder: its best trials, its counts, and the URL of its storage."""

from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.errors import user_error, user_error_type
from sweeps.files import write_json
from sweeps.invocation import command, program
from sweeps.outputs import SUMMARY_FILE
from sweeps.results.final_trials import ended_finals
from sweeps.results.ranking import ranked
from sweeps.results.run import Run
from sweeps.results.run_dirs import folder_of, run_dirs
from sweeps.results.trial_command import overrides_alone
from sweeps.results.trial_fingerprints import stored_fingerprints
from sweeps.results.trial_row import configuration
from sweeps.study.attributes import OVERRIDES, SPREAD
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing

NUM_SHOWN = 20


def note_storage(study: SharedStudy, folder: Path) -> None:
    """Write a first sweep.json with the URL of the storage, so that the study can be found from its folder.

    Raises:
        UserError: the file cannot be written.
    """
    if not (folder / SUMMARY_FILE).is_file():
        trials = standing(study.trials())
        write_summary(summary_of(study, trials, ranked(trials, study.study.directions), folder), folder)


def best_command(study: SharedStudy, trial: FrozenTrial, folder: Path) -> str:
    """The command that runs the configuration of a trial without a sweep, of several seeds or folds with the first.

    Args:
        folder: of the study.
    """
    runs = [Run(path) for path in run_dirs(trial.user_attrs, folder)]
    return command(program(), overrides_alone(trial.user_attrs, study.config.seed_key, runs))


def write_summary(summary: dict[str, Any], folder: Path) -> None:
    path = folder / SUMMARY_FILE
    try:
        write_json(path, summary)
    except OSError as error:
        problem = f"{path} could not be written ({error.strerror})"
        remedy = "move this folder away" if path.is_dir() else "free some disk space"
        raise user_error(f"{problem}: {remedy} and give the same command again.") from error


def summary_of(study: SharedStudy, trials: list[FrozenTrial], best: list[FrozenTrial], folder: Path) -> dict[str, Any]:
    with_final = ended_finals(study.study.user_attrs)
    return {
        "study": study.name,
        "storage": study.url,
        "objectives": study.objectives,
        "directions": study.directions,
        "num_trials": study.num_trials,
        "counts": {state.name.lower(): sum(trial.state == state for trial in trials) for state in TrialState},
        "data": sorted(set(stored_fingerprints(trials).values())),
        "best_command": best_command(study, best[0], folder) if best else None,
        "final": [_final(study, trial, folder) for trial in trials if trial.number in with_final],
        "best": [
            {
                "number": trial.number,
                "values": trial.values,
                "spread": trial.user_attrs.get(SPREAD),
                "configuration": configuration(trial),
                "overrides": trial.user_attrs[OVERRIDES],
                "run_dir": str(folder_of(trial.user_attrs, folder)),
            }
            for trial in best[:NUM_SHOWN]
        ],
    }


def _final(study: SharedStudy, trial: FrozenTrial, folder: Path) -> dict[str, Any]:
    """The entry of a final trial: its objectives on the test split, by seed; macro-F1 if they have none there."""
    results = [_result(path / "result.json") for path in run_dirs(trial.user_attrs, folder)]
    judged = [name for name in study.objectives if not name.startswith("train/")] or ["val/macro_f1"]
    names = [name.replace("val/", "test/", 1) for name in judged]
    return {
        "number": trial.number,
        "run_dir": str(folder_of(trial.user_attrs, folder)),
        "test": {name: [r[name] for r in results] for name in names if results and all(name in r for r in results)},
    }


def _result(path: Path) -> dict[str, Any]:
    """result.json of a run; empty if it is gone. If it is corrupt, print that and return an empty one."""
    try:
        return Run(path.parent).result
    except user_error_type():
        print(f"{path} cannot be read: its test score is left out.")
        return {}

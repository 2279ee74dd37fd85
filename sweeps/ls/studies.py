"""The folder of a study as a row of the list."""

from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from sweeps.config import SweepConfig
from sweeps.files import load_json
from sweeps.ls.entry import Entry
from sweeps.outputs import JOURNAL_FILE, SUMMARY_FILE
from sweeps.results.ranking import ranked
from sweeps.results.run_status import without_result
from sweeps.storage.locks import is_locked
from sweeps.study.attributes import IDENTITY, TOTAL
from sweeps.study.controllers import any_alive
from sweeps.study.find import read_journal
from sweeps.study.paused import is_paused
from sweeps.study.trial_counts import standing

BEST_TRIAL = "best trial"


def is_study(folder: Path) -> bool:
    return (folder / JOURNAL_FILE).is_file() or (folder / SUMMARY_FILE).is_file()


def read_study(folder: Path) -> Entry | None:
    """Read the study in a folder; None if it was opened but not begun. Raises any error of its files."""
    if not (folder / JOURNAL_FILE).is_file():
        return _of_summary(folder)
    storage = read_journal(folder / JOURNAL_FILE)
    studies = storage.get_all_studies()
    if studies:
        return _of_journal(folder, storage, studies[0])
    return _of_summary(folder) if (folder / SUMMARY_FILE).is_file() else None  # the journal was emptied


def _of_journal(folder: Path, storage: BaseStorage, study: FrozenStudy) -> Entry:
    trials = standing(storage.get_all_trials(study._study_id, deepcopy=False))
    num_ended = sum(trial.state.is_finished() for trial in trials)
    num_total = study.user_attrs.get(TOTAL) or load_json(folder / SUMMARY_FILE).get("num_trials")
    changed_s = (folder / JOURNAL_FILE).stat().st_mtime
    best = ranked(trials, study.directions)
    return Entry(
        folder.name,
        "study",
        _status(study.user_attrs, trials, num_total, folder / JOURNAL_FILE),
        num_ended,
        _whole(num_total, num_ended),
        study.user_attrs.get(IDENTITY, {}).get("objectives", []),
        best[0].values if best else None,
        BEST_TRIAL,
        changed_s,
        folder,
    )


def _status(attributes: dict[str, Any], trials: list[FrozenTrial], num_total: int | None, journal: Path) -> str:
    ended = [trial.state for trial in trials if trial.state.is_finished()]
    is_finished = num_total is not None and len(ended) >= num_total
    # The last command may have asked for fewer trials than one that still runs.
    is_over = is_finished and all(trial.state != TrialState.RUNNING or is_paused(trial) for trial in trials)
    if not is_over and any_alive(attributes, SweepConfig.lost_after_s, journal):
        return "running"
    if set(ended) == {TrialState.FAIL}:
        return "failed"
    return "finished" if is_finished else without_result(journal.stat().st_mtime)


def _of_summary(folder: Path) -> Entry:
    """A study in a database, or whose journal was lost, as its last command described it in sweep.json."""
    summary, changed_s = load_json(folder / SUMMARY_FILE), (folder / SUMMARY_FILE).stat().st_mtime
    counts = summary["counts"]
    num_ended = counts["complete"] + counts["pruned"] + counts["fail"]
    is_finished = num_ended >= summary["num_trials"]
    status = "finished" if is_finished else without_result(changed_s)
    status = "failed" if num_ended and num_ended == counts["fail"] else status
    is_over = is_finished and not counts["running"]
    status = "running" if not is_over and _has_running(folder) else status
    best = summary["best"][0]["values"] if summary["best"] else None
    num_total = _whole(summary["num_trials"], num_ended)
    objectives = summary["objectives"]
    return Entry(folder.name, "study", status, num_ended, num_total, objectives, best, BEST_TRIAL, changed_s, folder)


def _has_running(folder: Path) -> bool:
    """Whether a job holds the lock of its run. For a study in a database this replaces asking for its controllers."""
    return any(is_locked(lock) for runs in ("*", "*/seed-*") for lock in folder.glob(f"{runs}/run.lock"))


def _whole(num_total: int | None, num_ended: int) -> int | None:
    """The number of trials asked for, or of those that ended if that is larger; None if unknown."""
    return num_total and max(num_total, num_ended)

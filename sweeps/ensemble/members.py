"""Which run folders are meant by names on the command line: runs, trials, or the best trials of a study."""

from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from sweeps.errors import did_you_mean, user_error
from sweeps.outputs import JOURNAL_FILE, SNAPSHOTS, SUMMARY_FILE
from sweeps.results.ranking import ranked
from sweeps.results.run_dirs import SEED, run_dirs, seed_of
from sweeps.study.attributes import SEEDS
from sweeps.study.find import CONFIG, load_study, names_in_outputs, run_folder, study_folder


def member_folders(names: Sequence[str], top: int, url: str | None = None) -> list[Path]:
    """The run folders that names mean, in their order, the best trials of a study first.

    Args:
        names: each a run (its folder, or its name in outputs), STUDY:NUMBER for a trial, or STUDY for its best trials.
        top: how many trials of a study.
        url: of the storage, if the study's folder does not name it.

    Raises:
        LookupError: there is no such run, study or trial.
        UserError: the storage cannot be opened, or a trial has lost its folder.
    """
    folders = [folder for name in names for folder in _folders(name, top, url)]
    return list(dict.fromkeys(folders))


def _folders(name: str, top: int, url: str | None) -> list[Path]:
    if (Path(name) / CONFIG).is_file():  # takes precedence over a study of that name
        return [Path(name)]
    if study_folder(name):
        return _best(name, top, url)
    study, separator, number = name.rpartition(":")
    if separator and number.isdecimal() and (url or study_folder(study)):
        loaded = load_study(study, url)
        return folders_of_trials(loaded.study_name, [_trial(study, loaded, int(number))], study_folder(study))
    if folder := run_folder(name):
        return [folder]
    if url:
        return _best(name, top, url)
    hint = did_you_mean(Path(study or name).name, names_in_outputs(CONFIG, JOURNAL_FILE, SUMMARY_FILE))
    kinds = "neither a run, nor a study, nor STUDY:NUMBER of a study"
    raise LookupError(f"{name} is {kinds}: {hint}see python -m sweeps.ls.")


def _best(study: str, top: int, url: str | None) -> list[Path]:
    loaded = load_study(study, url)
    best = ranked(loaded.get_trials(deepcopy=False), loaded.directions)
    if not best:
        raise LookupError(f"the study {study} has no complete trial yet.")
    return folders_of_trials(loaded.study_name, best[:top], study_folder(study))


def _trial(study: str, loaded: optuna.Study, number: int) -> FrozenTrial:
    trials = loaded.get_trials(deepcopy=False)
    if number >= len(trials):
        raise LookupError(f"the study {study} has no trial {number}: its {len(trials)} trials are numbered from 0.")
    return trials[number]


def folders_of_trials(study: str, trials: Sequence[FrozenTrial], folder: Path | None) -> list[Path]:
    """The run folders of trials, one or one per seed or fold.

    Args:
        folder: of the study; None if it has none.

    Raises:
        UserError: a trial has none, or a complete one lacks that of a seed or fold.
    """
    found = []
    for trial in trials:
        folders = run_dirs(trial.user_attrs, folder)
        lost = _lost_seed(trial, folders)
        if not folders or lost:
            which = f"run folder {lost}" if folders else "run folder"
            raise user_error(f"trial {trial.number} of the study {study} cannot be a member: its {which} is gone.")
        found += folders
    return found


def _lost_seed(trial: FrozenTrial, folders: Sequence[Path]) -> str:
    """The name of the first folder of a seed that a complete trial had and has no more; empty if all are there.

    A trial that was pruned may never have begun some. One of an earlier version may not say how many it had.
    """
    seeds = trial.user_attrs.get(SEEDS) if trial.state == TrialState.COMPLETE else None
    there = {seed_of(path) for path in folders}
    return next((f"{SEED}{k}" for k in range(len(seeds or [])) if k not in there), "")


def snapshots_of(folders: Sequence[Path]) -> list[Path]:
    """The snapshots of runs, run by run and in the order of their epochs.

    Raises:
        UserError: a run has none, or has not ended.
    """
    found = []
    for folder in folders:
        own = sorted((folder / SNAPSHOTS).glob("epoch-*"), key=lambda path: (len(path.name), path.name))
        if not own:
            raise user_error(
                f"{folder} has no snapshots: a run keeps them that is trained with, say, lr_schedule=cosine "
                "lr_schedule.num_cycles=3 schedule.num_snapshots=3."
            )
        if not (folder / "result.json").is_file():
            raise user_error(f"{folder} has not ended and its snapshots have no scores yet: resume it first.")
        found += own
    return found

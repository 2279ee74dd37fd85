"""The ensemble that a sweep ends in (`sweep.ensemble=true`)."""

import logging
from collections.abc import Sequence
from pathlib import Path

from optuna.trial import FrozenTrial

from sweeps.ensemble.members import folders_of_trials
from sweeps.errors import first_line, in_use_error_type, user_error_type
from sweeps.loop.interrupts import Interrupts
from sweeps.report.freshness import is_current
from sweeps.results.ranking import ranked
from sweeps.results.run import Run
from sweeps.results.run_dirs import run_dirs
from sweeps.results.sweep_ensemble import FOLDER
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing

log = logging.getLogger(__name__)


def end_in_ensemble(study: SharedStudy, folder: Path, interrupts: Interrupts) -> str:
    """Make the ensemble that a finished sweep ends in, if it was asked for; returns why there is none, else nothing.

    Args:
        folder: of the sweep.
    """
    if not study.config.ensemble or interrupts.stopping:
        return ""
    if not study.is_finished():
        return "There is no ensemble yet: it is made when all trials have ended."
    if interrupts.draining:
        return "There is no whole ensemble yet: the command was stopped." if lacks_ensemble(study, folder) else ""
    return make_ensemble_of(study, folder, study.config.ensemble_top)


def lacks_ensemble(study: SharedStudy, folder: Path) -> bool:
    """Whether an ensemble was asked for, and is left to be made or to be scored on the test split."""
    best = _best(study, study.config.ensemble_top)
    try:
        folders = folders_of_trials(study.name, best, folder) if study.config.ensemble else []
        if len(folders) < 2:
            return False
        return not _is_current(study, folder, folders) or _lacks_test(study, best[0], folder)
    except user_error_type():  # its members may be deleted
        return False


def make_ensemble_of(study: SharedStudy, folder: Path, top: int) -> str:
    """Make the ensemble of a study's best trials, unless it is there and no trial has ended since.

    If the search held back the test split, and the best trial was scored on it at the end, the ensemble is too. If
    that cannot be done, a sentence says why, and the ensemble stays.

    Args:
        folder: of the sweep.
        top: how many trials it is selected from.

    Returns:
        Why there is none, in one sentence; empty if there is one.
    """
    best = _best(study, top)
    if why := _why_not_made(study, folder, best):
        return why
    if why := _why_not_scored(study, folder, best):
        print(why)
    return ""


def _why_not_made(study: SharedStudy, folder: Path, best: Sequence[FrozenTrial]) -> str:
    """Make it if there is none or an old one; returns why there is none, empty if there is one."""
    try:
        try:
            folders = folders_of_trials(study.name, best, folder)
        except user_error_type():
            if is_current(folder / FOLDER / "result.json", study, folder):
                return ""  # it holds all that it needs of its members, which may be deleted
            raise
        if len(folders) < 2:
            return f"There is no ensemble: {len(folders) or 'no'} trial has ended well, and it needs two."
        if not _is_current(study, folder, folders):
            # Imports torch, which takes seconds.
            from spectral.ensembling.make import EnsembleOptions, make_ensemble

            print("An ensemble of the best trials is selected.")
            options = EnsembleOptions(seed=study.config.seed)
            # Asked again once the folder is ours: another controller may have made it since.
            make_ensemble(folders, folder / FOLDER, options, lambda: _is_current(study, folder, folders))
    except in_use_error_type():
        return "There is no ensemble here yet: another process is making it."
    except user_error_type() as error:
        return f"There is no ensemble: {error}"
    except Exception as error:  # the sweep itself has ended well
        log.debug("the ensemble failed", exc_info=True)
        return f"The ensemble could not be made ({first_line(error)})."
    return ""


def _why_not_scored(study: SharedStudy, folder: Path, best: Sequence[FrozenTrial]) -> str:
    """Score it on the test split if the best trial was; returns why that was not possible, else nothing."""
    try:
        if _lacks_test(study, best[0], folder):
            from spectral.ensembling.test_scores import score_test

            print("The ensemble is scored on the test split, as the best trial was.")
            score_test(folder / FOLDER)
    except in_use_error_type():
        return "The ensemble is not scored on the test split here: another process is at work on it."
    except user_error_type() as error:
        return f"The ensemble is not scored on the test split: {error}"
    except Exception as error:  # as above
        log.debug("the ensemble could not be scored", exc_info=True)
        return f"The ensemble could not be scored on the test split ({first_line(error)})."
    return ""


def _best(study: SharedStudy, top: int) -> list[FrozenTrial]:
    return ranked(standing(study.trials()), study.study.directions)[:top]


def _lacks_test(study: SharedStudy, best: FrozenTrial, folder: Path) -> bool:
    """Whether the last run of the best trial has added its test scores, and the ensemble has none."""
    if not study.has_final(best.number):
        return False
    results = [Run(path).result for path in run_dirs(best.user_attrs, folder)]
    has_test = bool(results) and all("test/macro_f1" in result for result in results)
    return has_test and not Run(folder / FOLDER).result["score_test"]


def _is_current(study: SharedStudy, folder: Path, folders: list[Path]) -> bool:
    """Whether the ensemble is younger than the end of every trial, and was selected from the same ones."""
    if not is_current(folder / FOLDER / "result.json", study, folder):
        return False
    try:
        made = Run(folder / FOLDER).result.get("ensemble")
    except user_error_type():
        return False
    return isinstance(made, dict) and made.get("runs") == [str(path) for path in folders]

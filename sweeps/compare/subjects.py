"""What is compared: a run folder, or the runs of a trial."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna

from sweeps.compare.unfinished import BEST_EPOCH, scores_of_kept_epoch
from sweeps.errors import did_you_mean, user_error
from sweeps.outputs import JOURNAL_FILE, SUMMARY_FILE
from sweeps.results.ranking import ranked
from sweeps.results.run import Run, flat, is_evaluation, trouble
from sweeps.results.run_dirs import run_dirs
from sweeps.results.seeds_or_folds import replicate
from sweeps.space.values import is_number
from sweeps.study.attributes import IDENTITY
from sweeps.study.find import CONFIG, load_study, names_in_outputs, run_folder, study_folder


@dataclass(frozen=True)
class Subject:
    """A run, or the runs of one trial with different seeds or folds.

    Args:
        name: as it is shown.
        runs: one or more; either all have a result or none has.
        left_out: one sentence for each run that is left out of `runs`.
        is_best_of_study: whether it is the best of several complete trials of a study by its validation scores.
    """

    name: str
    runs: tuple[Run, ...]
    left_out: tuple[str, ...] = ()
    is_best_of_study: bool = False

    @property
    def is_finished(self) -> bool:
        return bool(self.runs[0].result)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config of the first run: dotted key -> value."""
        return flat(self.runs[0].config)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The numbers of result.json, or of the kept epoch so far; of several runs the means of those that all have."""
        first, *others = [_numbers(run) for run in self.runs]
        if not others:
            return first
        common = [name for name in first if all(name in other for other in others)]
        return {name: statistics.fmean(result[name] for result in (first, *others)) for name in common}

    def is_size(self, name: str) -> bool:
        """Whether a metric is an integer in every run, such as a number of epochs; JSON holds a score as a float."""
        return all(isinstance(_numbers(run).get(name), int) for run in self.runs)


def find_subject(named: str, url: str | None = None) -> Subject:
    """Find what a name on the command line means.

    Args:
        named: a run, STUDY:NUMBER, or STUDY for its best trial; a run or a study is a folder, or a name in outputs.
            The folder of an evaluation (`spectral.evaluate out=FOLDER`) counts as a run's.
        url: of the storage, if the study's folder does not name it.

    Raises:
        LookupError: there is no such run, study or trial, or it has no run folder.
        UserError: none of its runs can be read.
    """
    if (Path(named) / CONFIG).is_file() or is_evaluation(Path(named)):  # takes precedence over a study of that name
        return _subject(named, [Path(named)])
    if study_folder(named):
        return _best_trial(named, url)
    study, separator, number = named.rpartition(":")
    if separator and number.isdecimal() and (url or study_folder(study)):
        return _trial(study, int(number), url)
    if folder := run_folder(named):
        return _subject(named, [folder])
    if url:
        return _best_trial(named, url)
    hint = did_you_mean(Path(study or named).name, names_in_outputs(CONFIG, JOURNAL_FILE, SUMMARY_FILE))
    kinds = "neither a run, nor a study, nor STUDY:NUMBER of a study"
    raise LookupError(f"{named} is {kinds}: {hint}see python -m sweeps.ls.")


def _best_trial(study: str, url: str | None) -> Subject:
    loaded = load_study(study, url)
    best = ranked(loaded.get_trials(deepcopy=False), loaded.directions)
    if not best:
        raise LookupError(f"the study {study} has no complete trial yet: name one as {study}:NUMBER.")
    return _of_trial(study, loaded, best[0].number)


def _trial(study: str, number: int, url: str | None) -> Subject:
    loaded = load_study(study, url)
    num_trials = len(loaded.get_trials(deepcopy=False))
    if number >= num_trials:
        raise LookupError(f"the study {study} has no trial {number}: its {num_trials} trials are numbered from 0.")
    return _of_trial(study, loaded, number)


def _of_trial(study: str, loaded: optuna.Study, number: int) -> Subject:
    trials = loaded.get_trials(deepcopy=False)
    trial, best = trials[number], ranked(trials, loaded.directions)
    folders = [path for path in run_dirs(trial.user_attrs, study_folder(study)) if (path / CONFIG).is_file()]
    if not folders:
        raise LookupError(f"trial {number} of the study {study} has no run folder.")
    objectives = loaded.user_attrs.get(IDENTITY, {}).get("objectives", ["val/macro_f1"])  # or the usual one
    is_best = len(best) > 1 and best[0].number == number and any(name.startswith("val/") for name in objectives)
    return replace(_subject(f"{loaded.study_name}:{number}", folders), is_best_of_study=is_best)


def _subject(name: str, folders: Sequence[Path]) -> Subject:
    """The subject of a trial's runs. Leaves out unreadable runs and, if some runs have a result, those without.

    Raises:
        UserError: none can be read.
    """
    runs = [Run(folder) for folder in folders]
    reasons = [trouble(run, "config", "result", "metrics", "predictions") for run in runs]
    readable = [run for run, reason in zip(runs, reasons, strict=True) if not reason]
    if not readable:
        raise user_error(str(reasons[0]))
    finished = [run for run in readable if run.result]
    left_out = [f"A {replicate(runs)} of {name} is left out: {reason}" for reason in reasons if reason]
    left_out += [
        f"A {replicate(runs)} of {name} is left out: {run.path} has no result."
        for run in readable
        if finished and run not in finished
    ]
    return Subject(name, tuple(finished or readable), tuple(left_out))


def _numbers(run: Run) -> dict[str, float]:
    values = run.result or scores_of_kept_epoch(run)
    without = {BEST_EPOCH} if "ensemble" in values else set()  # an average has no epoch: it is stored as 0
    return {name: value for name, value in values.items() if is_number(value) and name not in without}

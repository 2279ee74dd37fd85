"""Trials on different data are never ranked together, unless `sweep.accept_changed_data` asks for it.

A command that resumes a study compares the data as it is now with that of the study's trials, if it can know that
before anything runs. Each trial that completes, is pruned or paused is compared as well: the data may change while a
command runs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from sweeps.errors import user_error
from sweeps.loop.trial_run import TrialRun
from sweeps.results.trial_fingerprints import all_fingerprints, fingerprints_of, stored_fingerprints
from sweeps.space.values import canonical
from sweeps.study.accepted_data import accept_data, accepted_data
from sweeps.study.attributes import CONFIGURATION, FINGERPRINT, OVERRIDES
from sweeps.study.identity import overrides_now
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing

ADVICE = (
    "give another sweep.study_name, and with run_dir another folder too, to search from scratch, or "
    "sweep.accept_changed_data=true to rank trials on different data together"
)
MOST_OPENED = 4  # of several surveys that a study searches: to open one takes time, and the trials are compared anyway


class DataChanged(Exception):  # noqa: N818  (no error of the program)
    """A trial was run on other data than the trials before it; the message is a sentence for the user."""


class TrialData:
    """The data of a study's trials.

    Args:
        folder: of the sweep.
        find_axes: gives the names of the axes that choose the data. Trials with different values of these are on
            different data by intent. Called only if fingerprints differ.
    """

    def __init__(self, study: SharedStudy, folder: Path, find_axes: Callable[[], Sequence[str]] = list) -> None:
        self._study, self._folder, self._find_axes = study, folder, find_axes
        self._same: set[str] = set()  # several names of the data as it is now

    @property
    def _accepted(self) -> list[str]:
        return accepted_data(self._study.study)

    @cached_property
    def _axes(self) -> list[str]:
        return list(self._find_axes())

    def check_now(self, fingerprints: Callable[[list[str]], list[str]]) -> None:
        """Compare the data as it is now with that of the study's trials.

        Args:
            fingerprints: gives the names of the data's fingerprint now, for the overrides of a job; empty if unknown.

        Raises:
            UserError: the data has changed.
        """
        if self._study.is_finished():
            return
        trials = standing(self._study.trials())
        for example, known in self._by_choice(trials, all_fingerprints(trials, self._folder))[-MOST_OPENED:]:
            overrides = overrides_now(example.user_attrs[OVERRIDES], self._study.space, self._study.config.free_keys)
            now = fingerprints(overrides)
            self._same |= set(now)
            if now and not set(now) & {*known, *self._accepted} and not self._accepts(now[0]):
                raise user_error(
                    f"the data of study {self._study.name} has changed: its trials were run on data with fingerprint "
                    f"{' or '.join(known)}, and now it is {now[0]}: {ADVICE}."
                )

    def attributes_of(self, run: TrialRun) -> dict[str, Any]:
        """The attribute that says on which data a trial was run; empty if its runs do not say.

        Raises:
            DataChanged: it is other data than that of the trials before it.
        """
        found = fingerprints_of([run.folder_of(k) for k in range(run.num_seeds)])
        trials = standing(self._study.trials())
        stored = stored_fingerprints(trials)
        for fingerprint in found:
            if all(self._is_same(fingerprint, other) for other in [*stored.values(), found[0]]):
                continue
            choice = _choice(run.configuration, self._axes)
            known = {stored[trial.number] for trial in trials if trial.number in stored and self._of(trial) == choice}
            known = known or {found[0]}  # of another seed
            if not any(self._is_same(fingerprint, other) for other in known) and not self._accepts(fingerprint):
                raise DataChanged(
                    f"the data of study {self._study.name} has changed: trial {run.number} was run on data with "
                    f"fingerprint {fingerprint}, not {' or '.join(sorted(known))}: if the data is as before again, "
                    f"delete {run.folder} and give the same command; otherwise {ADVICE}."
                )
        return {FINGERPRINT: found[0]} if found else {}

    def _is_same(self, one: str, other: str) -> bool:
        return one == other or {one, other} <= self._same

    def _of(self, trial: FrozenTrial) -> str:
        return _choice(json.loads(trial.user_attrs.get(CONFIGURATION, "{}")), self._axes)

    def _by_choice(
        self, trials: Sequence[FrozenTrial], fingerprints: Mapping[int, str]
    ) -> list[tuple[FrozenTrial, list[str]]]:
        """The last trial on each survey that the search chooses, and the fingerprints of the trials on it."""
        is_one = len(set(fingerprints.values())) == 1
        found: dict[str, tuple[FrozenTrial, list[str]]] = {}
        for trial in trials:
            if trial.number in fingerprints:
                choice = "" if is_one else self._of(trial)
                known = found[choice][1] if choice in found else []
                found[choice] = trial, sorted({*known, fingerprints[trial.number]})
        return list(found.values())

    def _accepts(self, fingerprint: str) -> bool:
        """Whether data is let in alongside other data; from now on it is, if the command asks for it."""
        if fingerprint in self._accepted:
            return True
        if self._study.config.accept_changed_data:
            accept_data(self._study.study, fingerprint)
        return self._study.config.accept_changed_data


def _choice(configuration: Mapping[str, Any], axes: Sequence[str]) -> str:
    return canonical({axis: configuration[axis] for axis in axes if axis in configuration})

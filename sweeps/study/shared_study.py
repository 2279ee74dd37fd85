"""A study that controllers share: what has been run, what is left of the total, and who runs what.

A trial keeps its number, its parameters and its folder for life. One whose controller died goes back from RUNNING to
WAITING, so that the study never holds more than `num_trials` trials and none is counted twice.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.config import DEFAULT_SAMPLER, SweepConfig
from sweeps.errors import user_error
from sweeps.invocation import program
from sweeps.objective import Direction
from sweeps.space import Space
from sweeps.space.values import canonical
from sweeps.storage.connect import close_storage, open_storage_of_user
from sweeps.storage.locks import exclusive
from sweeps.study.attributes import (
    CONFIGURATION,
    ENQUEUED,
    FINAL,
    IDENTITY,
    PROGRAM,
    REASON,
    REFERENCE,
    RETRY_OF,
    TOTAL,
)
from sweeps.study.controllers import Controller, Heartbeat
from sweeps.study.identity import identity_of, refuse_other, up_to_date
from sweeps.study.ownership import Ownership, TakenOver
from sweeps.study.pruner import build_pruner, pruners
from sweeps.study.renamed import renamed_configuration
from sweeps.study.retry import RetryPolicy
from sweeps.study.sampler import build_sampler
from sweeps.study.trial_counts import enqueue_failed, num_ended, num_jobs_before_retry, num_taken, standing

log = logging.getLogger(__name__)

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass
class SharedStudy:
    """The study of one sweep, as one of its controllers sees it.

    Args:
        enqueued: configurations to run first: those of `sweep.enqueue`, or a whole grid.
        kind: of its trials: "grid" where every combination is run, else "trial".
        seeds: that every configuration is run with; None for its own single one.
    """

    config: SweepConfig
    name: str
    url: str
    space: Space
    objectives: list[str]
    directions: list[Direction]
    num_trials: int
    enqueued: list[dict[str, Any]] = field(default_factory=list)
    kind: Literal["grid", "trial"] = "trial"
    seeds: list[int] | None = None

    def __post_init__(self) -> None:
        # By its values and not by its place: the next command may name its axes, or what it enqueues, in another order.
        self._enqueued = [(canonical(values), values) for values in self.enqueued]
        self.retries = RetryPolicy(self.config.max_retries)
        self.storage: BaseStorage = open_storage_of_user(self.url, self.config.storage_timeout_s)
        with self._alone():
            self.study = optuna.create_study(
                study_name=self.name,
                storage=self.storage,
                sampler=self._sampler(0),
                pruner=build_pruner(self.config.pruner, self.config.pruning),
                directions=self.directions,
                load_if_exists=True,
            )
            self._check_identity()
            self._note_command()
            self.num_retried = enqueue_failed(self.study) if self.config.retry_failed else 0
            self.ownership = Ownership(self.study, self.storage, self.config.lost_after_s)
            self.ownership.beat()
        self._heartbeat = Heartbeat(self.ownership.beat)

    def close(self) -> None:
        self._heartbeat.stop()
        close_storage(self.storage)

    @property
    def controller(self) -> Controller:
        return self.ownership.controller

    @property
    def judged_by(self) -> Literal["steps", "seeds", "nothing"]:
        """What the pruner compares trials by."""
        return pruners.find(self.config.pruner).judges

    def trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    # What is left.

    def claim(self) -> Trial | None:
        """The next trial to run, signed by this controller; None if none is left for it now."""
        with self._alone() as is_held:
            trial = self._claim()
            if trial is None or is_held():
                return trial
        # Another controller may have counted at the same time.
        with self._alone():
            if num_taken(self.trials()) <= self.num_trials:
                return trial
            self._let_wait(trial._trial_id)
            return None

    def _claim(self) -> Trial | None:
        for left in self.ownership.left_behind(self.trials()):
            log.info("Trial %d is run again: its controller was lost.", left.number)
            self._let_wait(left._trial_id)
        trials = self.trials()
        if num_taken(trials) >= self.num_trials:
            return None
        if not any(trial.state == TrialState.WAITING for trial in trials):
            self._enqueue_next(trials)
        self.study.sampler = self._sampler(len(trials))
        trial = self.study.ask()
        self.ownership.sign(trial)
        return trial

    def is_finished(self) -> bool:
        """Whether nothing is left to do: for this controller, or for one that may yet die."""
        return num_ended(self.trials()) >= self.num_trials

    def has_only_failures(self) -> bool:
        return {trial.state for trial in standing(self.trials()) if trial.state.is_finished()} == {TrialState.FAIL}

    def last_failure(self) -> str:
        """Why the last trial that failed did; empty if none has."""
        reasons = [t.user_attrs.get(REASON, "") for t in standing(self.trials()) if t.state == TrialState.FAIL]
        return str(reasons[-1]) if reasons else ""

    def num_elsewhere(self) -> int:
        """Trials that other controllers run."""
        return sum(t.state == TrialState.RUNNING and not self.ownership.is_mine(t) for t in self.trials())

    def earlier_duplicate(self, number: int) -> FrozenTrial | None:
        """An earlier trial of the same configuration that ended with a result, or may yet."""
        trials = self.trials()
        mine = trials[number].user_attrs[CONFIGURATION]
        for trial in trials[:number]:
            configuration = trial.user_attrs.get(CONFIGURATION)
            if configuration and renamed_configuration(configuration) == mine and trial.state != TrialState.FAIL:
                return trial
        return None

    def _enqueue_next(self, trials: list[FrozenTrial]) -> None:
        """Put the next configuration that is to be run first in front, if one is left."""
        stored = (trial.user_attrs.get(ENQUEUED) for trial in standing(trials))
        begun = Counter(renamed_configuration(text) for text in stored if text)
        for name, values in self._enqueued:
            if not begun[name]:
                self.study.enqueue_trial(self.space.params(values), user_attrs={ENQUEUED: name})
                return
            begun[name] -= 1

    def num_jobs_before_retry(self, trial: Trial) -> int:
        """How many of a trial's job records are of the failed trial in whose place it stands."""
        attributes = trial.user_attrs
        return num_jobs_before_retry(attributes, self.trials()) if RETRY_OF in attributes else 0

    # What is written to a trial: by the controller that has it, and no other. Each raises TakenOver otherwise.

    @contextmanager
    def _owned(self, trial: Trial) -> Iterator[None]:
        try:
            if not self._owns(trial):
                raise TakenOver(f"trial {trial.number} has another controller")
            yield
        except UpdateFinishedTrialError as error:
            raise TakenOver(f"trial {trial.number} was ended by another controller") from error

    def configure(self, trial: Trial) -> None:
        """Draw a trial's configuration."""
        with self._owned(trial):
            trial.set_user_attr(CONFIGURATION, canonical(self.space.suggest(trial)))

    def set_attributes(self, trial: Trial, attributes: Mapping[str, Any]) -> None:
        """Keep attributes with a trial, by the names of attributes.py."""
        with self._owned(trial):
            for name, value in attributes.items():
                trial.set_user_attr(name, value)

    def report(self, trial: Trial, steps: Mapping[int, float]) -> None:
        """Tell a trial's values by step."""
        with self._owned(trial):
            for step, value in steps.items():
                trial.report(value, step)

    def constrain(self, trial: Trial, violations: Mapping[str, float]) -> None:
        """Tell how far a trial is outside each constraint."""
        with self._owned(trial):
            judged = self.storage.get_trial(trial._trial_id).constraints  # by a controller that died in between
            for name, violation in violations.items():
                if name not in judged:
                    trial.set_constraint(name, violation)

    def finish(
        self,
        trial: Trial,
        state: TrialState,
        values: list[float] | None = None,
        attributes: Mapping[str, Any] = MappingProxyType({}),
    ) -> FrozenTrial:
        """Tell the study how a trial of this controller ended; gives the trial as the study has it then."""
        # Nobody takes it over in between.
        with self._alone(), self._owned(trial):
            for name, value in attributes.items():
                trial.set_user_attr(name, value)
            # A storage that was gone may have heard it nevertheless.
            with suppress(UpdateFinishedTrialError), warnings.catch_warnings():
                # It was said once, at the start.
                warnings.filterwarnings("ignore", "Constraints have been set, but CmaEsSampler")
                self.study.tell(trial, values, state)
        return self.storage.get_trial(trial._trial_id)

    def give_back(self, trial: Trial) -> None:
        """Leave a trial of this controller for a later command, with its parameters and its folder."""
        with self._alone():
            if self._owns(trial):
                self._let_wait(trial._trial_id)

    def _owns(self, trial: Trial) -> bool:
        return self.ownership.owns(self.storage.get_trial(trial._trial_id))

    def _let_wait(self, trial_id: int) -> None:
        self.storage.set_trial_state_values(trial_id, TrialState.WAITING)

    def claim_final(self, number: int) -> bool:
        """Whether this controller is to run a trial once more at the end: nobody has, or somebody died over it."""
        key = f"{FINAL}{number}"
        with self._alone():
            owner = self.study.user_attrs.get(key)
            if owner and (owner == "done" or self.ownership.is_alive(owner)):
                return False
            self.study.set_user_attr(key, self.controller.id)
            return True

    def has_final(self, number: int) -> bool:
        """Whether a trial was run once more, to its end."""
        return self.study.user_attrs.get(f"{FINAL}{number}") == "done"

    def note_final(self, number: int, is_done: bool) -> None:
        """A trial's last run has ended, or is left to a later command."""
        self.study.set_user_attr(f"{FINAL}{number}", "done" if is_done else "")

    # How it is opened.

    @contextmanager
    def _alone(self) -> Iterator[Callable[[], bool]]:
        with exclusive(self.storage, self.url, self.name, self.config.storage_timeout_s) as is_held:
            yield is_held

    def _sampler(self, trial_number: int) -> optuna.samplers.BaseSampler:
        name, is_conditional = self.config.sampler or DEFAULT_SAMPLER, self.space.is_conditional
        return build_sampler(name, self.config.seed, trial_number, is_conditional=is_conditional)

    def _check_identity(self) -> None:
        """Write what the study searches, or raise UserError if it searches something else."""
        mine = identity_of(self.config, self.space, self.objectives, self.seeds)
        there = self.study.user_attrs.get(IDENTITY)
        if there is None:
            if self.study.get_trials(deepcopy=False):
                raise user_error(f"sweep.study_name={self.name} is a study that no sweep made: give another name.")
            self.study.set_user_attr(IDENTITY, mine)
            return
        old = up_to_date(there, self.config.free_keys)
        refuse_other(self.name, old, mine, [d.name.lower() for d in self.study.directions], self.directions)
        self.space.keep_names(there["space"])

    def _note_command(self) -> None:
        """Tell those who only read the study what is asked for, and how its program is called."""
        there = self.study.user_attrs
        asked: dict[str, Any] = {TOTAL: self.num_trials, PROGRAM: program()}
        if self.config.enqueue:
            asked[REFERENCE] = canonical(self.config.enqueue[0])
        for name, value in asked.items():
            if there.get(name) != value:
                self.study.set_user_attr(name, value)

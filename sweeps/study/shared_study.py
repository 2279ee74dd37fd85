"""A study that several controllers share: which trials have been run, which are left, and which controller runs each.

A trial never changes its number, parameters and folder. If its controller died, it goes back from RUNNING to WAITING.
So the study never has more than `num_trials` trials, and no trial is counted twice.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.config import DEFAULT_SAMPLER, SweepConfig
from sweeps.objective import Direction
from sweeps.space import Space
from sweeps.space.values import canonical
from sweeps.storage.connect import close_storage, open_storage_of_user
from sweeps.storage.locks import exclusive
from sweeps.study.attributes import CONFIGURATION, ENQUEUED, FINAL, OWNER, PAUSED, RETRY_OF
from sweeps.study.controllers import Controller, Heartbeat
from sweeps.study.identity import check_identity, identity_of, note_command
from sweeps.study.ownership import Ownership, TakenOver
from sweeps.study.paused import any_running, continue_paused, is_paused, let_paused_wait, prune_paused
from sweeps.study.paused_as_pruned import PausedAsPruned
from sweeps.study.pruner import build_pruner, pruners
from sweeps.study.renamed import renamed_configuration
from sweeps.study.retry import RetryPolicy
from sweeps.study.sampler import build_sampler, samplers
from sweeps.study.trial_counts import enqueue_failed, failed, num_ended, num_jobs_before_retry, num_taken, standing

log = logging.getLogger(__name__)

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass
class SharedStudy:
    """The study of one sweep, as one of its controllers sees it.

    Args:
        enqueued: configurations to run first: those of `sweep.enqueue`, or a whole grid.
        kind: of its trials: "grid" if every combination is run, else "trial".
        seeds: that every configuration is run with; None for the single seed of its own config.
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
        # By values, not by position: the next command may give its axes or enqueued configurations in another order.
        self._enqueued = [(canonical(values), values) for values in self.enqueued]
        self.retries = RetryPolicy(self.config.max_retries)
        identity = identity_of(self.config, self.space, self.objectives, self.seeds)
        self.storage: BaseStorage = open_storage_of_user(self.url, self.config.storage_timeout_s)
        with self._alone():
            self.study = optuna.create_study(
                study_name=self.name,
                storage=self.storage,
                sampler=self._sampler(0),
                pruner=build_pruner(self.config.pruner, self.config.pruning, self.config.promote),
                directions=self.directions,
                load_if_exists=True,
            )
            if found := check_identity(self.study, self.name, identity, self.directions, self.config, self.space):
                self.space.keep(found["space"])
            self.ownership = Ownership(self.study, self.storage, self.url, self.config.lost_after_s)
            self.ownership.beat()
        self._is_to_retry, self.num_retried = self.config.retry_failed, 0
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

    # Trials that are left.

    def claim(self) -> Trial | None:
        """Claim the next trial for this controller; None if none is left to claim now."""
        with self._alone() as is_held:
            trial = self._claim()
            if trial is None or is_held():
                return trial
        # The lock was lost meanwhile: another controller may have claimed at the same time.
        with self._alone():
            if num_taken(self.trials()) <= self.num_trials:
                return trial
            self._let_wait(trial._trial_id)
            return None

    def _claim(self) -> Trial | None:
        for left in self._let_lost_wait():
            log.info("Trial %d is run again: its controller was lost.", left.number)
        if not self.config.promote:
            let_paused_wait(self.study, self.trials())
        trials = self.trials()
        waiting = [trial.number for trial in trials if trial.state == TrialState.WAITING]
        # Then the trials that wait are left to a command with a higher total, and hold up no paused one.
        is_full = num_taken(trials) >= self.num_trials
        if self.config.promote and (is_full or not waiting) and (promoted := self._promote(trials, is_full)):
            return promoted
        if is_full:
            return None
        if not waiting:
            self._enqueue_next(trials)
        # By the number that the trial will have: one that waits keeps its own, and draws what it would have drawn.
        self.study.sampler = self._sampler(waiting[0] if waiting else len(trials))
        trial = self.study.ask()
        self.ownership.sign(trial)
        return trial

    def release_lost(self) -> None:
        """Leave trials of controllers that died on this machine to a later command: at the total none is claimed."""
        with self._alone():
            for left in self._let_lost_wait():
                log.info("Trial %d waits for a higher total: its controller was lost.", left.number)

    def _let_lost_wait(self) -> list[FrozenTrial]:
        for left in (left_behind := self.ownership.left_behind(self.trials())):
            self._let_wait(left._trial_id)
        return left_behind

    def _promote(self, trials: list[FrozenTrial], is_full: bool) -> Trial | None:
        """Claim a paused trial that continues; None if there is none. Prune all once nothing else is left to run."""
        is_last_call = is_full and not any_running(trials)
        pruner = pruners.typed(self.config.pruner, self.config.pruning)
        found = pruner.to_promote(standing(trials), self.study.direction, is_last_call=is_last_call)
        if found is not None:
            return continue_paused(self.study, found, self.ownership)
        if is_last_call:
            prune_paused(self.study, trials)
        return None

    def begin_command(self) -> None:
        """Store what the command asks for; enqueue failed trials again if it says so. Once no check can refuse it."""
        with self._alone():
            note_command(self.study, self.num_trials, self.config.enqueue)
            if self._is_to_retry:
                self.num_retried = enqueue_failed(self.study)
        self._is_to_retry = False

    def is_finished(self) -> bool:
        """Whether all trials have ended. Not before: a controller that still runs one may die."""
        trials = self.trials()
        num_left = len(failed(trials)) if self._is_to_retry else 0
        return num_ended(trials) - num_left >= self.num_trials

    def num_elsewhere(self) -> int:
        """The number of trials that other controllers run."""
        running = (trial for trial in self.trials() if trial.state == TrialState.RUNNING)
        return sum(not self.ownership.is_mine(trial) and not is_paused(trial) for trial in running)

    def _enqueue_next(self, trials: list[FrozenTrial]) -> None:
        """Enqueue the next of the configurations to run first, if one is left."""
        stored = (trial.user_attrs.get(ENQUEUED) for trial in standing(trials))
        begun = Counter(renamed_configuration(text) for text in stored if text)
        for name, values in self._enqueued:
            if not begun[name]:
                self.study.enqueue_trial(self.space.params(values), user_attrs={ENQUEUED: name})
                return
            begun[name] -= 1

    def num_jobs_before_retry(self, trial: Trial) -> int:
        """How many of a trial's job records belong to the failed trial that it replaces."""
        return num_jobs_before_retry(trial.user_attrs, self.trials()) if RETRY_OF in trial.user_attrs else 0

    # Writing to a trial. Only the controller that owns the trial may do it; for others each method raises TakenOver.

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
        """Store attributes of a trial, under the names of attributes.py."""
        with self._owned(trial):
            for name, value in attributes.items():
                trial.set_user_attr(name, value)

    def report(self, trial: Trial, steps: Mapping[int, float]) -> None:
        """Store the values of a trial by step."""
        with self._owned(trial):
            for step, value in steps.items():
                trial.report(value, step)

    def constrain(self, trial: Trial, violations: Mapping[str, float]) -> None:
        """Store how far a trial is outside each constraint."""
        with self._owned(trial):
            # Perhaps stored already, by a controller that died afterwards.
            judged = self.storage.get_trial(trial._trial_id).constraints
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
        """Store how a trial of this controller ended; returns the trial as stored."""
        # The lock keeps other controllers from taking the trial over meanwhile.
        with self._alone(), self._owned(trial):
            for name, value in attributes.items():
                trial.set_user_attr(name, value)
            # A storage that failed to answer may have stored the result nevertheless.
            with suppress(UpdateFinishedTrialError), warnings.catch_warnings():
                # The sweep has printed this once, at the start.
                warnings.filterwarnings("ignore", "Constraints have been set, but CmaEsSampler")
                self.study.tell(trial, values, state)
        return self.storage.get_trial(trial._trial_id)

    def may_continue(self, trial: Trial) -> bool:
        """Whether a trial that its pruner has stopped is only paused."""
        pruner = pruners.typed(self.config.pruner, self.config.pruning)
        return self.config.promote and pruner.may_continue(self.storage.get_trial(trial._trial_id))

    def pause(self, trial: Trial, attributes: Mapping[str, Any]) -> FrozenTrial:
        """Pause a trial of this controller, until a controller promotes it; returns the trial as stored."""
        with self._alone(), self._owned(trial):
            for name, value in {**attributes, PAUSED: True, OWNER: ""}.items():
                trial.set_user_attr(name, value)
        return self.storage.get_trial(trial._trial_id)

    def give_back(self, trial: Trial) -> None:
        """Leave a trial of this controller to a later command, with its parameters and its folder."""
        with self._alone():
            if self._owns(trial):
                self._let_wait(trial._trial_id)

    def _owns(self, trial: Trial) -> bool:
        return self.ownership.owns(self.storage.get_trial(trial._trial_id))

    def _let_wait(self, trial_id: int) -> None:
        self.storage.set_trial_state_values(trial_id, TrialState.WAITING)

    def claim_final(self, number: int) -> bool:
        """Claim the final run of a trial; False if another controller has run it, or is alive and running it."""
        key = f"{FINAL}{number}"
        with self._alone():
            owner = self.study.user_attrs.get(key)
            if owner == "done" or (owner and not self.ownership.may_replace(owner)):
                return False
            self.study.set_user_attr(key, self.controller.id)
            return True

    def has_final(self, number: int) -> bool:
        """Whether the final run of a trial has ended."""
        return self.study.user_attrs.get(f"{FINAL}{number}") == "done"

    def note_final(self, number: int, is_done: bool) -> None:
        """Store that the final run of a trial has ended, or that it is left to a later command."""
        self.study.set_user_attr(f"{FINAL}{number}", "done" if is_done else "")

    # Opening the study.

    def _alone(self) -> AbstractContextManager[Callable[[], bool]]:
        return exclusive(self.storage, self.url, self.name, self.config.storage_timeout_s)

    def _sampler(self, trial_number: int) -> optuna.samplers.BaseSampler:
        name, is_conditional = self.config.sampler or DEFAULT_SAMPLER, self.space.is_conditional
        sampler = build_sampler(name, self.config.seed, trial_number, is_conditional=is_conditional)
        return PausedAsPruned(sampler) if self.config.promote and samplers.find(name).learns_from_pruned else sampler

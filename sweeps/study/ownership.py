"""The owner of a trial is the controller that runs it. If the owner dies, another controller takes the trial over."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweeps.storage.urls import file_of
from sweeps.study.attributes import OWNER
from sweeps.study.controllers import Controller, Watch, signer
from sweeps.study.paused import is_paused

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial


class TakenOver(Exception):  # noqa: N818  (not an error of the job)
    """The trial has another controller now, or has ended: this job is no longer needed."""


class Ownership:
    """The trials and heartbeats of this controller, and whether the other controllers of the study are alive.

    Args:
        storage: of the study.
        url: of the storage.
        lost_after_s: `sweep.lost_after_s`.
    """

    def __init__(self, study: "Study", storage: "BaseStorage", url: str, lost_after_s: float) -> None:
        self._study, self._storage, self._lost_after_s = study, storage, lost_after_s
        self._file = file_of(url)
        self.controller, self._watch = Controller.this(self._file), Watch()
        self.lost_controllers: set[str] = set()  # dead ones whose trials or final runs are taken over

    def beat(self) -> None:
        """Write a heartbeat, and read those of other controllers."""
        self._storage.set_study_user_attr(self._study._study_id, *self.controller.attribute())
        self._look()

    def sign(self, trial: "Trial") -> None:
        """Make this controller the owner of a trial."""
        trial.set_user_attr(OWNER, self.controller.id)

    def is_mine(self, trial: "FrozenTrial") -> bool:
        return trial.user_attrs.get(OWNER) == self.controller.id

    def owns(self, trial: "FrozenTrial") -> bool:
        """Whether this controller runs a trial: another one that took it for dead may have let the trial wait."""
        return self.is_mine(trial) and trial.state.name == "RUNNING"

    def left_behind(self, trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
        """The trials that a dead controller was running. It is added to `lost_controllers`: its jobs may still run."""
        others = (trial for trial in trials if not self.is_mine(trial) and not is_paused(trial))
        running = [trial for trial in others if trial.state.name == "RUNNING"]
        attributes = self._look() if running else {}
        left = [trial for trial in running if not self._is_alive(attributes, trial.user_attrs.get(OWNER, ""))]
        self._note_lost(attributes, {trial.user_attrs.get(OWNER, "") for trial in left})
        return left

    def may_replace(self, owner: str) -> bool:
        """Whether the controller `owner` is dead. It is then added to `lost_controllers`: its jobs may still run."""
        attributes = self._look()
        if self._is_alive(attributes, owner):
            return False
        self._note_lost(attributes, {owner})
        return True

    def _is_alive(self, attributes: Mapping[str, Any], owner: str) -> bool:
        controller = signer(attributes, owner)
        is_of_a_copy = controller is not None and controller.is_of_a_copy(self._file)
        return not is_of_a_copy and self._watch.is_alive(attributes, owner, self._lost_after_s)

    def _note_lost(self, attributes: Mapping[str, Any], owners: set[str]) -> None:
        """Note controllers whose jobs should end: not those of the original of a copy, which may be running them."""
        self.lost_controllers |= {o for o in owners if o and not self._writes_elsewhere(attributes, o)}

    def _writes_elsewhere(self, attributes: Mapping[str, Any], owner: str) -> bool:
        controller = signer(attributes, owner)
        return controller is not None and controller.writes_elsewhere(self._file)

    def _look(self) -> dict[str, Any]:
        """The study's attributes, after reading the heartbeats in them."""
        attributes: dict[str, Any] = self._study.user_attrs
        self._watch.look(attributes)
        return attributes

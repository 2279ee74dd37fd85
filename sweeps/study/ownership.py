"""Who owns a trial: the controller that runs it. A trial whose controller died is given to the next one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweeps.study.attributes import OWNER
from sweeps.study.controllers import Controller, Watch

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial


class TakenOver(Exception):  # noqa: N818  (not an error of the job)
    """The trial was given to another controller, or has ended: this job is not wanted any more."""


class Ownership:
    """This controller of a study: its signature, its signs of life, and whether the other controllers are alive.

    Args:
        storage: of the study.
        lost_after_s: `sweep.lost_after_s`.
    """

    def __init__(self, study: "Study", storage: "BaseStorage", lost_after_s: float) -> None:
        self._study, self._storage, self._lost_after_s = study, storage, lost_after_s
        self.controller, self._watch = Controller.this(), Watch()
        self.lost_controllers: set[str] = set()  # whose trials were taken back

    def beat(self) -> None:
        """Give a sign of life, and look for those of others."""
        self._storage.set_study_user_attr(self._study._study_id, *self.controller.attribute())
        self._look()

    def sign(self, trial: "Trial") -> None:
        """Make a trial this controller's."""
        trial.set_user_attr(OWNER, self.controller.id)

    def is_mine(self, trial: "FrozenTrial") -> bool:
        return trial.user_attrs.get(OWNER) == self.controller.id

    def owns(self, trial: "FrozenTrial") -> bool:
        """Whether a trial is this controller's, and has not ended."""
        return self.is_mine(trial) and not trial.state.is_finished()

    def left_behind(self, trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
        """Those that a dead controller was running. Its jobs may still run: it is noted in `lost_controllers`."""
        running = [trial for trial in trials if trial.state.name == "RUNNING" and not self.is_mine(trial)]
        attributes = self._look() if running else {}
        left = [trial for trial in running if not self._is_alive(attributes, trial.user_attrs.get(OWNER, ""))]
        self.lost_controllers |= {trial.user_attrs[OWNER] for trial in left if trial.user_attrs.get(OWNER)}
        return left

    def is_alive(self, owner: str) -> bool:
        """Whether the controller that signed as `owner` is alive."""
        return self._is_alive(self._look(), owner)

    def _is_alive(self, attributes: Mapping[str, Any], owner: str) -> bool:
        return self._watch.is_alive(attributes, owner, self._lost_after_s)

    def _look(self) -> dict[str, Any]:
        """The study's attributes, which say who is alive."""
        attributes: dict[str, Any] = self._study.user_attrs
        self._watch.look(attributes)
        return attributes

"""The base class of pruners, and pruners by name. A job and its controller build the same pruner."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sweeps.study.registry import Registry

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import StudyDirection
    from optuna.trial import FrozenTrial


@dataclass
class Pruner:
    """A pruner of `sweep.pruner`; its fields are its options, under `sweep.pruning`.

    Attributes:
        judges: what it compares trials by: the steps that jobs report, the results of seeds, or nothing.
        takes_several_objectives: whether it can be used in a sweep with more than one objective.
        ignores_options: whether options of other pruners may be given together with it.
        can_promote: whether `sweep.promote` may be used with it.
    """

    judges: ClassVar[Literal["steps", "seeds", "nothing"]] = "steps"
    takes_several_objectives: ClassVar[bool] = False
    ignores_options: ClassVar[bool] = False
    can_promote: ClassVar[bool] = False

    def check(self, num_seeds: int) -> None:
        """Raise UserError if the options contradict each other, or would never let it prune.

        Args:
            num_seeds: number of seeds that every configuration is run with.
        """

    def build(self) -> "BasePruner":
        """Optuna's pruner. Import Optuna inside this method, so that a command is checked without importing it."""
        raise NotImplementedError

    def build_pausing(self) -> "BasePruner":
        """Optuna's pruner for `sweep.promote`: it stops a trial for now, and `to_promote` says which one continues."""
        raise NotImplementedError

    def may_continue(self, trial: "FrozenTrial") -> bool:
        """Whether a trial that was stopped for now can be promoted later."""
        raise NotImplementedError

    def to_promote(
        self, trials: "Sequence[FrozenTrial]", direction: "StudyDirection", *, is_last_call: bool
    ) -> "FrozenTrial | None":
        """The paused trial that continues next; None if there is none.

        Args:
            trials: of the study, those that count.
            is_last_call: nothing else is left to run. All trials that are not promoted now are pruned.
        """
        raise NotImplementedError


pruners = Registry("sweeps.study.pruners", Pruner, "sweep.pruner", "sweep.pruning")


def build_pruner(name: str, options: Mapping[str, Any], promote: bool = False) -> "BasePruner":
    """Optuna's pruner for `sweep.pruner`, `sweep.pruning` and `sweep.promote`."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        pruner = pruners.typed(name, options)
        return pruner.build_pausing() if promote else pruner.build()

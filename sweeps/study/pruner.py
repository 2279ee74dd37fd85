"""The base class of pruners, and pruners by name. A job and its controller build the same pruner."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sweeps.study.registry import Registry

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


@dataclass
class Pruner:
    """A pruner of `sweep.pruner`; its fields are its options, under `sweep.pruning`.

    Attributes:
        judges: what it compares trials by: the steps that jobs report, the results of seeds, or nothing.
        takes_several_objectives: whether it can be used in a sweep with more than one objective.
        ignores_options: whether options of other pruners may be given together with it.
    """

    judges: ClassVar[Literal["steps", "seeds", "nothing"]] = "steps"
    takes_several_objectives: ClassVar[bool] = False
    ignores_options: ClassVar[bool] = False

    def check(self, num_seeds: int) -> None:
        """Raise UserError if the options contradict each other, or would never let it prune.

        Args:
            num_seeds: number of seeds that every configuration is run with.
        """

    def build(self) -> "BasePruner":
        """Optuna's pruner. Import Optuna inside this method, so that a command is checked without importing it."""
        raise NotImplementedError


pruners = Registry("sweeps.study.pruners", Pruner, "sweep.pruner", "sweep.pruning")


def build_pruner(name: str, options: Mapping[str, Any]) -> "BasePruner":
    """Optuna's pruner for `sweep.pruner` and `sweep.pruning`."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return pruners.typed(name, options).build()

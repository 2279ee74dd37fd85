"""Asynchronous successive halving, Li et al. 2020 (A system for massively parallel hyperparameter tuning)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.options import number
from sweeps.study.pruner import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


@dataclass
class AshaPruner(Pruner):
    """Only the best trials continue at each rung, and each rung lasts longer than the one before."""

    min_steps: int = number(1, at_least=1)  # of the first rung
    reduction_factor: int = number(3, at_least=2)  # one in so many continues

    def build(self) -> "BasePruner":
        from optuna.pruners import SuccessiveHalvingPruner

        return SuccessiveHalvingPruner(min_resource=self.min_steps, reduction_factor=self.reduction_factor)

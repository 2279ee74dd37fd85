"""Hyperband, Li et al. 2018: successive halving in several brackets, which begin to prune at different steps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.errors import user_error
from sweeps.options import number
from sweeps.study.pruner import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


@dataclass
class HyperbandPruner(Pruner):
    """Each trial belongs to a bracket by its number."""

    min_steps: int = number(1, at_least=1)  # of the first rung in the bracket that prunes most
    max_steps: int | None = number(None, at_least=1)  # of the longest run; null: of the first that completes
    reduction_factor: int = number(3, at_least=2)  # one in so many continues at each rung

    def check(self, num_seeds: int) -> None:
        if self.max_steps is not None and self.max_steps < self.min_steps:
            raise user_error(
                f"sweep.pruning.max_steps={self.max_steps} is out of range: allowed is at least "
                f"sweep.pruning.min_steps={self.min_steps}."
            )

    def build(self) -> "BasePruner":
        from optuna.pruners import HyperbandPruner as OptunaPruner

        longest = self.max_steps or "auto"
        return OptunaPruner(min_resource=self.min_steps, max_resource=longest, reduction_factor=self.reduction_factor)

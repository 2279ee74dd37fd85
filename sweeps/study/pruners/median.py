"""The median rule: a trial ends if it is worse than the median of the others at the same step."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.options import number
from sweeps.study.pruner import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


@dataclass
class MedianPruner(Pruner):
    """Compares each trial with the others; so the first trials are not pruned."""

    min_steps: int = number(1, at_least=1)  # never before so many steps
    startup_trials: int = number(5, at_least=0)  # so many trials end unpruned first

    def build(self) -> "BasePruner":
        from optuna.pruners import MedianPruner as OptunaPruner

        return OptunaPruner(n_startup_trials=self.startup_trials, n_warmup_steps=self.min_steps)

"""A pruner as a user writes one, with an option of its own: `sweep.pruner=own_pruner:OwnPruner`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.options import number
from sweeps.study.pruner import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


@dataclass
class OwnPruner(Pruner):
    """Ends a job whose last value is above a limit."""

    limit: float = number(0.5, above=0)

    def build(self) -> "BasePruner":
        from optuna.pruners import ThresholdPruner

        return ThresholdPruner(upper=self.limit)

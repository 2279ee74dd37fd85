"""No pruner: every trial is run to its end."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from sweeps.study.pruner import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


@dataclass
class NonePruner(Pruner):
    """Has no options of its own; the options of another pruner may be left in the config."""

    judges: ClassVar[Literal["steps", "seeds", "nothing"]] = "nothing"
    takes_several_objectives: ClassVar[bool] = True
    ignores_options: ClassVar[bool] = True

    def build(self) -> "BasePruner":
        from optuna.pruners import NopPruner

        return NopPruner()

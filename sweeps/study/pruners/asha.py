"""Asynchronous successive halving, Li et al. 2020 (A system for massively parallel hyperparameter tuning)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING, ClassVar

from sweeps.options import number
from sweeps.study.attributes import RUNG
from sweeps.study.paused import is_paused
from sweeps.study.pruner import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import StudyDirection
    from optuna.trial import FrozenTrial


@dataclass
class AshaPruner(Pruner):
    """Only the best trials continue at each rung, and each rung lasts longer than the one before."""

    can_promote: ClassVar[bool] = True

    min_steps: int = number(1, at_least=1)  # of the first rung
    reduction_factor: int = number(3, at_least=2)  # one in so many continues

    def build(self) -> "BasePruner":
        from optuna.pruners import SuccessiveHalvingPruner

        return SuccessiveHalvingPruner(min_resource=self.min_steps, reduction_factor=self.reduction_factor)

    def build_pausing(self) -> "BasePruner":
        """As published: the first trials of a rung are paused too, since they may continue later."""
        from optuna.pruners import SuccessiveHalvingPruner

        return SuccessiveHalvingPruner(
            min_resource=self.min_steps,
            reduction_factor=self.reduction_factor,
            bootstrap_count=self.reduction_factor - 1,
        )

    def may_continue(self, trial: "FrozenTrial") -> bool:
        """Whether it was stopped at a rung, with a number as its value."""
        values = trial.intermediate_values
        key = rung_key(num_rungs(trial) - 1)
        return bool(values) and trial.system_attrs.get(key) == values[max(values)]

    def to_promote(
        self, trials: "Sequence[FrozenTrial]", direction: "StudyDirection", *, is_last_call: bool
    ) -> "FrozenTrial | None":
        """A paused trial among the best of its rung, of the highest rung that has one (algorithm 2, `get_job`).

        At the last call the best trial of a rung continues even if the rung has too few trials for one in
        `reduction_factor`: otherwise no trial of a small study would be trained to its end. The place of a trial that
        has failed, was pruned since, or is left to a later command goes to the next one.
        """
        sign = -1 if direction.name == "MAXIMIZE" else 1
        for rung in range(max(map(num_rungs, trials), default=0) - 1, -1, -1):
            key = rung_key(rung)
            reached = [trial for trial in trials if key in trial.system_attrs]
            num_best = max(len(reached) // self.reduction_factor, int(is_last_call))
            standing = (trial for trial in reached if trial.state.name not in ("FAIL", "PRUNED", "WAITING"))
            for trial in sorted(standing, key=lambda trial: sign * trial.system_attrs[key])[:num_best]:
                if is_paused(trial) and num_rungs(trial) == rung + 1:
                    return trial
        return None


def rung_key(rung: int) -> str:
    """The system attribute that holds the value of a trial at a rung, as Optuna's pruner stores it."""
    return f"{RUNG}{rung}"


def num_rungs(trial: "FrozenTrial") -> int:
    """How many rungs a trial has reached."""
    return sum(1 for _ in takewhile(lambda rung: rung_key(rung) in trial.system_attrs, count()))

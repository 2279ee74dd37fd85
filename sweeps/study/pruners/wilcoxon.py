"""Wilcoxon's signed-rank test of a configuration's seeds against the same seeds of the best configuration."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from sweeps.errors import user_error
from sweeps.options import number
from sweeps.study.pruner import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

FEWEST_SEEDS = 2  # for a test


@dataclass
class WilcoxonPruner(Pruner):
    """Skips the remaining seeds of a configuration that is significantly worse than the best."""

    judges: ClassVar[Literal["steps", "seeds", "nothing"]] = "seeds"

    min_steps: int = number(1, at_least=1)  # never before so many seeds
    p_threshold: float = number(0.1, above=0, at_most=1)  # the higher, the sooner it prunes

    @property
    def _num_first(self) -> int:
        """The number of seeds after which it may prune."""
        return max(FEWEST_SEEDS, self.min_steps)

    def check(self, num_seeds: int) -> None:
        # The smallest p of a signed-rank test of n differences is 1 / 2^n. At least one seed must be left to skip.
        num_judged = max(self._num_first, math.floor(-math.log2(self.p_threshold)) + 1)
        if num_seeds <= num_judged:
            raise user_error(
                f"sweep.pruner=wilcoxon never prunes with {num_seeds} {'seed' if num_seeds == 1 else 'seeds'} and "
                f"sweep.pruning.p_threshold={self.p_threshold:g}: allowed is sweep.seeds={num_judged + 1} or more."
            )

    def build(self) -> "BasePruner":
        from optuna.pruners import WilcoxonPruner as OptunaPruner

        return OptunaPruner(p_threshold=self.p_threshold, n_startup_steps=self._num_first)

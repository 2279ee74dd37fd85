"""The tree-structured Parzen estimator, Bergstra et al. 2011, over all axes together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sweeps.study.sampler import Draw, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass
class TpeSampler(Sampler):
    """Counts running trials as bad ones, so that several controllers search in different regions."""

    learns_from_pruned: ClassVar[bool] = True

    def build(self, draw: Draw) -> "BaseSampler":
        from optuna.samplers import TPESampler

        return TPESampler(seed=draw.trial_seed, multivariate=True, group=draw.is_conditional, constant_liar=True)

"""A scrambled Sobol sequence, which covers the space more evenly than independent draws."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.study.sampler import Draw, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass
class QmcSampler(Sampler):
    """Covers the space evenly; learns nothing from earlier trials."""

    def build(self, draw: Draw) -> "BaseSampler":
        from optuna.samplers import QMCSampler, RandomSampler

        # All trials of a study share one sequence, so its seed must stay the same.
        fallback = RandomSampler(seed=draw.trial_seed)
        return QMCSampler(
            seed=draw.search_seed, scramble=True, independent_sampler=fallback, warn_independent_sampling=False
        )

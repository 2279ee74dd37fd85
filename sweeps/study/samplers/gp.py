"""Bayesian optimization with a Gaussian process."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.study.sampler import Draw, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass
class GpSampler(Sampler):
    """For few trials and few axes that are mostly numeric."""

    def build(self, draw: Draw) -> "BaseSampler":
        from optuna.samplers import GPSampler

        return GPSampler(seed=draw.trial_seed, warn_independent_sampling=False)

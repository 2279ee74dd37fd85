"""The genetic algorithm NSGA-II, Deb et al. 2002, made for several objectives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.study.sampler import Draw, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass
class Nsga2Sampler(Sampler):
    """For several objectives and many trials: one generation has 50."""

    def build(self, draw: Draw) -> "BaseSampler":
        from optuna.samplers import NSGAIISampler

        return NSGAIISampler(seed=draw.trial_seed)

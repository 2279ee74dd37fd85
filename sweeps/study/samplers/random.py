"""Independent draws."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.study.sampler import Draw, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass
class RandomSampler(Sampler):
    """Draws at random; learns nothing from earlier trials."""

    def build(self, draw: Draw) -> "BaseSampler":
        from optuna.samplers import RandomSampler as OptunaSampler

        return OptunaSampler(seed=draw.trial_seed)

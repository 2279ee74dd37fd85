"""Every combination of choices and ranges, once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sweeps.study.sampler import Draw, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass
class GridSampler(Sampler):
    """Runs a grid. Its combinations are enqueued, so that nothing is drawn."""

    runs_whole_grid: ClassVar[bool] = True

    def build(self, draw: Draw) -> "BaseSampler":
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=draw.trial_seed)

"""The evolution strategy CMA-ES, Hansen 2016."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sweeps.study.sampler import Draw, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass
class CmaesSampler(Sampler):
    """For many trials, numeric axes and a single objective."""

    takes_several_objectives: ClassVar[bool] = False
    ignores_constraints: ClassVar[bool] = True

    def build(self, draw: Draw) -> "BaseSampler":
        from optuna.samplers import CmaEsSampler

        return CmaEsSampler(seed=draw.trial_seed, warn_independent_sampling=False)

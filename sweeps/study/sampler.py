"""What a sampler is, and samplers by name, each trial's seeded by the search's seed and the trial's number.

So a search that was stopped and resumed, or shared by machines, draws what it would have drawn anyhow, and never the
same twice, as a sampler would that each controller seeds again.
"""

import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sweeps.study.registry import Registry

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Draw:
    """What a sampler is built for: one trial.

    Args:
        search_seed: of the search, the same for all of its trials.
        trial_seed: of this trial alone.
        is_conditional: whether some configurations lack axes.
    """

    search_seed: int
    trial_seed: int
    is_conditional: bool


@dataclass
class Sampler:
    """A sampler of `sweep.sampler`.

    Attributes:
        takes_several_objectives: whether it searches for more than one.
        runs_whole_grid: whether every combination of the space is run, so that there is nothing to draw.
        ignores_constraints: whether it is to be said that it learns nothing from `sweep.constraints`.
    """

    takes_several_objectives: ClassVar[bool] = True
    runs_whole_grid: ClassVar[bool] = False
    ignores_constraints: ClassVar[bool] = False

    def build(self, draw: Draw) -> "BaseSampler":
        """Optuna's sampler. Optuna is imported within: a command is checked without it."""
        raise NotImplementedError


samplers = Registry("sweeps.study.samplers", Sampler, "sweep.sampler")


def build_sampler(name: str, seed: int, trial_number: int, *, is_conditional: bool) -> "BaseSampler":
    """Optuna's sampler for one trial, by the name under `sweep.sampler`.

    Args:
        seed: of the search.
        trial_number: of the trial that is sampled.
        is_conditional: whether some configurations lack axes.
    """
    from optuna.exceptions import ExperimentalWarning

    draw = Draw(seed, zlib.crc32(f"{seed}/{trial_number}".encode()), is_conditional)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return samplers.find(name)().build(draw)


def names_for_several_objectives() -> list[str]:
    return [name for name in samplers.names if samplers.find(name).takes_several_objectives]

"""The base class of samplers, and samplers by name. Each trial has its own seed, from the search's seed and its number.

So a search that is stopped and resumed, or shared by machines, draws the same configurations as one that is not. If
each controller seeded its own sampler instead, controllers would draw the same configurations again.
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
    """The trial that a sampler is built for.

    Args:
        search_seed: the same for all trials of the search.
        trial_seed: of this trial only.
        is_conditional: whether some configurations lack axes.
    """

    search_seed: int
    trial_seed: int
    is_conditional: bool


@dataclass
class Sampler:
    """A sampler of `sweep.sampler`.

    Attributes:
        takes_several_objectives: whether it can search for more than one objective.
        runs_whole_grid: whether every combination of the space is run, so that nothing is drawn.
        ignores_constraints: whether to warn that it learns nothing from `sweep.constraints`.
        learns_from_pruned: whether it learns from trials that a pruner has ended, and so from those that are paused.
            For the others a paused trial runs: they may stay away from what runs.
    """

    takes_several_objectives: ClassVar[bool] = True
    runs_whole_grid: ClassVar[bool] = False
    ignores_constraints: ClassVar[bool] = False
    learns_from_pruned: ClassVar[bool] = False

    def build(self, draw: Draw) -> "BaseSampler":
        """Optuna's sampler. Import Optuna inside this method, so that a command is checked without importing it."""
        raise NotImplementedError


samplers = Registry("sweeps.study.samplers", Sampler, "sweep.sampler")


def build_sampler(name: str, seed: int, trial_number: int, *, is_conditional: bool) -> "BaseSampler":
    """Optuna's sampler for one trial, by the name in `sweep.sampler`.

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

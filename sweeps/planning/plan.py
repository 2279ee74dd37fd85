"""What a command asks of its study: objectives, seeds, how many trials, and which configurations come first."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from omegaconf import DictConfig

from sweeps.config import SweepConfig
from sweeps.planning.checks import directions, objective_names, seed_list
from sweeps.space import Space
from sweeps.study.sampler import samplers

if TYPE_CHECKING:
    from sweeps.objective import Direction

NUM_TRIALS = 20  # of a search that names no number


@dataclass(frozen=True)
class Plan:
    """As SharedStudy takes it, which says what each is."""

    objectives: list[str]
    directions: "list[Direction]"
    seeds: list[int] | None
    enqueued: list[dict[str, Any]]
    kind: Literal["grid", "trial"]
    num_trials: int


def plan_of(sweep: SweepConfig, space: Space, job_config: DictConfig) -> Plan:
    """What `sweep.*` and the space come to.

    Raises:
        UserError: objectives, directions or seeds that are not allowed; a grid of what cannot be counted.
    """
    objectives = objective_names(sweep)
    # A sampler is named to draw so many trials: without a number, or without a name, choices are meant to be all run.
    draws = sweep.sampler is not None and sweep.num_trials is not None
    is_asked_for = sweep.sampler is not None and samplers.find(sweep.sampler).runs_whole_grid
    whole_grid = is_asked_for or (space.is_grid and not draws)
    grid = space.grid() if whole_grid else []
    enqueued = [*sweep.enqueue, *(values for values in grid if values not in sweep.enqueue)]
    num_asked = sweep.num_trials or (len(enqueued) if whole_grid else NUM_TRIALS)
    return Plan(
        objectives=objectives,
        directions=directions(sweep, objectives),
        seeds=seed_list(sweep, job_config),
        enqueued=enqueued,
        kind="grid" if whole_grid else "trial",
        num_trials=min(num_asked, len(enqueued)) if whole_grid else num_asked,
    )

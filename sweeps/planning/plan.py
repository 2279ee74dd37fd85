"""The plan of a sweep: objectives, seeds, number of trials, and the configurations to run first."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from omegaconf import DictConfig

from sweeps.config import SweepConfig
from sweeps.planning.checks import directions, objective_names, seed_list
from sweeps.space import Space
from sweeps.study.sampler import samplers

if TYPE_CHECKING:
    from sweeps.objective import Direction

NUM_TRIALS = 20  # default of a search


@dataclass(frozen=True)
class Plan:
    """The arguments of SharedStudy that depend on the command; that class describes them."""

    objectives: list[str]
    directions: "list[Direction]"
    seeds: list[int] | None
    enqueued: list[dict[str, Any]]
    kind: Literal["grid", "trial"]
    num_trials: int


def plan_of(sweep: SweepConfig, space: Space, job_config: DictConfig) -> Plan:
    """The plan that follows from `sweep.*` and the space.

    Raises:
        UserError: objectives, directions or seeds are not allowed; a grid has values that cannot be counted.
    """
    objectives = objective_names(sweep)
    # A sampler draws a given number of trials. If either is not given, all combinations of choices are run.
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

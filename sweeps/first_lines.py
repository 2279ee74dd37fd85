"""What a sweep says before its first trial, where the command does something else than it seems to ask for."""

from collections.abc import Iterator, Sequence

from sweeps.config import SweepConfig
from sweeps.retries import num_taken
from sweeps.space import Constraint
from sweeps.study import SharedStudy


def first_lines(study: SharedStudy, sweep: SweepConfig, constraints: Sequence[Constraint]) -> Iterator[str]:
    """A sentence each."""
    if sweep.num_trials and sweep.num_trials > study.num_trials:
        held = f"{study.num_trials} configuration" + "s" * (study.num_trials > 1)
        yield f"sweep.num_trials={sweep.num_trials} is more than the grid's {held}: each is run once."
    num_there = num_taken(study.trials())
    if num_there > study.num_trials:
        yield f"The study has {num_there} trials already, more than the {study.num_trials} that are asked for."
    if study.num_retried:
        yield f"Failed trials that are run again: {study.num_retried}."
    if constraints and sweep.sampler == "cmaes":
        yield "sweep.sampler=cmaes learns nothing from sweep.constraints, which hold nevertheless."

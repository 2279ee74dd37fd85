"""Rank trials by the objective, or by the Pareto front of several; those outside the constraints are left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeps.objective import Direction
from sweeps.study.attributes import ENQUEUED, REFERENCE, REUSED_FROM
from sweeps.study.renamed import renamed_configuration

Way = StudyDirection | Direction  # of Optuna, or by its name


def is_feasible(trial: FrozenTrial) -> bool:
    return all(violation <= 0 for violation in trial.constraints.values())


def is_better(value: float, than: float, direction: Way) -> bool:
    return _costs([value], [direction]) < _costs([than], [direction])


def ranked(trials: list[FrozenTrial], directions: list[StudyDirection]) -> list[FrozenTrial]:
    """Complete trials within the constraints, best first, each configuration once.

    With several objectives the Pareto front comes first, each part sorted by the first objective.
    """
    complete = [
        t for t in trials if t.state == TrialState.COMPLETE and is_feasible(t) and REUSED_FROM not in t.user_attrs
    ]
    front = set(front_of(complete, directions)) if len(directions) > 1 else set()
    return sorted(complete, key=lambda trial: (trial.number not in front, _costs(trial.values, directions)))


def front_of(trials: Sequence[FrozenTrial], directions: Sequence[Way]) -> list[int]:
    """Numbers of the complete trials on the Pareto front, see `pareto_front`."""
    return pareto_front({trial.number: trial.values for trial in trials}, directions)


def pareto_front(points: Mapping[int, Sequence[float]], directions: Sequence[Way]) -> list[int]:
    """Numbers of the points on the Pareto front, best first by the first value.

    A point is on it if no other is at least as good in every value and better in one.
    """
    if not points:
        return []
    import numpy as np

    # Study.best_trials calls the same, but needs a study: a copy of 1,000 trials takes 70 times as long.
    from optuna.study._multi_objective import _is_pareto_front

    costs = {number: _costs(values, directions) for number, values in points.items()}
    is_on_front = _is_pareto_front(np.array(list(costs.values())), assume_unique_lexsorted=False)
    return sorted((number for number, on in zip(costs, is_on_front, strict=True) if on), key=costs.__getitem__)


def _costs(values: Sequence[float], directions: Sequence[Way]) -> tuple[float, ...]:
    """The values, turned so that less is better."""
    return tuple(
        -value if direction in (StudyDirection.MAXIMIZE, "maximize") else value
        for value, direction in zip(values, directions, strict=True)
    )


def reference_of(trials: Sequence[FrozenTrial], attributes: Mapping[str, Any]) -> FrozenTrial | None:
    """The trial that ran the first configuration of `sweep.enqueue`; None if there is none, or it did not end well.

    Args:
        attributes: of the study.
    """
    if REFERENCE not in attributes:
        return None
    reference = renamed_configuration(attributes[REFERENCE])  # a command writes it under today's names
    enqueued = (trial for trial in trials if ENQUEUED in trial.user_attrs)
    of_it = (trial for trial in enqueued if renamed_configuration(trial.user_attrs[ENQUEUED]) == reference)
    number = next((t.user_attrs.get(REUSED_FROM, t.number) for t in of_it if t.state == TrialState.COMPLETE), None)
    return next((trial for trial in trials if trial.number == number), None)

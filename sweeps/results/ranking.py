"""Rank trials by the objective, or by the Pareto front of several; those outside the constraints are left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeps.study.attributes import ENQUEUED, REFERENCE, REUSED_FROM
from sweeps.study.renamed import renamed_configuration


def is_feasible(trial: FrozenTrial) -> bool:
    return all(violation <= 0 for violation in trial.constraints.values())


def is_better(value: float, than: float, direction: StudyDirection) -> bool:
    return value > than if direction == StudyDirection.MAXIMIZE else value < than


def ranked(trials: list[FrozenTrial], directions: list[StudyDirection]) -> list[FrozenTrial]:
    """Complete trials within the constraints, best first, each configuration once.

    With several objectives the Pareto front comes first, each part sorted by the first objective.
    """
    complete = [
        t for t in trials if t.state == TrialState.COMPLETE and is_feasible(t) and REUSED_FROM not in t.user_attrs
    ]
    front = set(pareto_front(complete, directions)) if len(directions) > 1 else set()
    return sorted(complete, key=lambda trial: (trial.number not in front, _costs(trial, directions)))


def pareto_front(trials: list[FrozenTrial], directions: list[StudyDirection]) -> list[int]:
    """Numbers of the complete trials on the Pareto front.

    A trial is on it if no other is at least as good in every objective and better in one.
    """
    # Study.best_trials calls the same, but needs a study: a copy of 1,000 trials takes 70 times as long.
    from optuna.study._multi_objective import _get_pareto_front_trials_by_trials

    return [trial.number for trial in _get_pareto_front_trials_by_trials(trials, directions)]


def _costs(trial: FrozenTrial, directions: list[StudyDirection]) -> tuple[float, ...]:
    return tuple(
        -value if direction == StudyDirection.MAXIMIZE else value
        for value, direction in zip(trial.values, directions, strict=True)
    )


def reference_of(trials: Sequence[FrozenTrial], attributes: Mapping[str, Any]) -> FrozenTrial | None:
    """The trial of the first configuration in `sweep.enqueue`; None if there is none, or it did not end well.

    Args:
        attributes: of the study.
    """
    if REFERENCE not in attributes:
        return None
    reference = renamed_configuration(attributes[REFERENCE])  # a command writes it under today's names
    enqueued = (trial for trial in trials if ENQUEUED in trial.user_attrs)
    of_it = (trial for trial in enqueued if renamed_configuration(trial.user_attrs[ENQUEUED]) == reference)
    return next((trial for trial in of_it if trial.state == TrialState.COMPLETE), None)

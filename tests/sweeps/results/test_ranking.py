"""Which trial is the best."""

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from sweeps.results.ranking import Way, front_of, is_better, pareto_front, ranked

UP, DOWN = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE


def trial(*values: float, **constraints: float) -> optuna.trial.FrozenTrial:
    made = create_trial(values=values)
    for name, violation in constraints.items():
        made.set_constraint(name, violation)
    return made


def numbered(*trials: Any) -> list[optuna.trial.FrozenTrial]:
    for number, one in enumerate(trials):
        one.number = number
    return list(trials)


def test_the_best_trial_comes_first_and_satisfies_the_constraints() -> None:
    trials = numbered(trial(1.0), trial(3.0, size=0.5), trial(2.0, size=-1.0), create_trial(state=TrialState.FAIL))
    assert [t.number for t in ranked(trials, [UP])] == [2, 0]
    assert [t.number for t in ranked(trials, [DOWN])] == [0, 2]


def test_the_pareto_front_comes_first() -> None:
    trials = numbered(trial(1.0, 1.0), trial(2.0, 3.0), trial(3.0, 4.0), trial(0.5, 2.0))
    # Of the first more, of the second less: 0 beats 3, and nothing beats 1 or 2.
    assert front_of(trials, [UP, DOWN]) == [2, 1, 0]
    assert front_of([], [UP, DOWN]) == []
    assert [t.number for t in ranked(trials, [UP, DOWN])] == [2, 1, 0, 3]


@pytest.mark.parametrize("directions", [[UP, DOWN], [DOWN, DOWN, UP], ["minimize", "maximize"]])
def test_the_pareto_front_equals_that_of_brute_force(directions: list[Way]) -> None:
    """With equal points and infinite values among them. The best in the first value comes first."""
    rng = np.random.default_rng(1)
    values = np.where(rng.random((80, 3)) < 0.05, np.inf, rng.integers(0, 6, (80, 3)))[:, : len(directions)]
    gain = values * [1 if direction in (UP, "maximize") else -1 for direction in directions]
    beaten = {n for n in range(80) for m in range(80) if (gain[m] >= gain[n]).all() and (gain[m] > gain[n]).any()}
    found = pareto_front(dict(enumerate(values.tolist())), directions)
    assert sorted(found) == [n for n in range(80) if n not in beaten]
    assert [gain[n][0] for n in found] == sorted((gain[n][0] for n in found), reverse=True)


@pytest.mark.parametrize("up", [UP, "maximize"])
@pytest.mark.parametrize("down", [DOWN, "minimize"])
def test_a_direction_may_be_given_by_its_name(up: Way, down: Way) -> None:
    assert is_better(2.0, 1.0, up) and is_better(1.0, 2.0, down)
    assert not is_better(1.0, 1.0, up) and not is_better(2.0, 1.0, down)

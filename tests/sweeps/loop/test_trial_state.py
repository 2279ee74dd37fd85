"""The states of a controller's trials: the allowed transitions, and that others are refused."""

from pathlib import Path
from typing import Any

import pytest

from sweeps.loop.trial_run import TrialRun
from sweeps.loop.trial_state import FOLLOWS, IllegalMove, State, Trials


class Numbered:
    """A trial with a number alone, which is all that the states need."""

    def __init__(self, number: int) -> None:
        self.number = number


def run_of(number: int = 0) -> TrialRun:
    trial: Any = Numbered(number)
    return TrialRun(trial, {}, [], Path(), None)


def test_a_trial_goes_from_its_claim_to_its_end() -> None:
    trials, run = Trials[TrialRun](), run_of()
    trials.add(run)
    for state in (State.DUPLICATE, State.CLAIMED, State.QUEUED, State.RUNNING, State.QUEUED, State.RUNNING):
        trials.move(run, state)
        assert trials.in_state(state) == [run] and trials.has(run)
    trials.move(run, State.ENDING)
    trials.move(run, State.ENDED)
    assert not trials and not trials.has(run) and trials.of(0) is None


@pytest.mark.parametrize("state", State)
def test_a_transition_that_is_not_allowed_is_refused(state: State) -> None:
    """After a refused transition the trial keeps its state."""
    for other in State:
        run, trials = run_of(), Trials[TrialRun]()
        trials.add(run)
        run.state = state
        if other in FOLLOWS[state]:
            trials.move(run, other)
            assert run.state is other
        else:
            with pytest.raises(IllegalMove, match=f"trial 0 is {state.value}, and cannot be {other.value} next"):
                trials.move(run, other)
            assert run.state is state


def test_a_trial_that_has_ended_or_was_dropped_never_comes_back() -> None:
    assert FOLLOWS[State.ENDED] == FOLLOWS[State.LEFT] == set()
    assert all(State.LEFT in FOLLOWS[state] for state in State if FOLLOWS[state])


def test_a_number_is_claimed_once_and_again_only_after_it_was_dropped() -> None:
    trials, run = Trials[TrialRun](), run_of(3)
    trials.add(run)
    with pytest.raises(IllegalMove):
        trials.add(run_of(3))
    trials.move(run, State.LEFT)
    again = run_of(3)
    trials.add(again)
    assert trials.has(again) and not trials.has(run)
    with pytest.raises(IllegalMove):
        trials.move(run, State.ENDED)

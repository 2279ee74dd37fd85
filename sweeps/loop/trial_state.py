"""The states of this controller's trials: an enum, a table of allowed changes, and one method that makes them.

The study, which all controllers share, has fewer states. From CLAIMED to ENDING a trial is RUNNING there, and has an
owner. An ENDED trial is COMPLETE, PRUNED or FAIL there. A PAUSED trial is RUNNING there, without an owner. A trial that
this controller has LEFT is waiting there, or has another owner.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Generic, Protocol, TypeVar


class State(Enum):
    """What a trial is doing."""

    CLAIMED = "claimed"  # signed by this controller, its configuration drawn
    DUPLICATE = "duplicate"  # it waits for the end of an earlier trial with the same configuration
    QUEUED = "queued"  # its jobs wait for a slot, or for their next attempt
    RUNNING = "running"  # at least one of its jobs is submitted to the launcher
    ENDING = "ending"  # its end is decided, but other jobs of it still run
    ENDED = "ended"  # the study has its result
    PAUSED = "paused"  # no longer this controller's: its pruner stopped it for now, and any controller may continue it
    LEFT = "left"  # no longer this controller's: given back, taken over by another, or its storage is unavailable


FOLLOWS = {
    State.CLAIMED: {State.DUPLICATE, State.QUEUED, State.ENDED, State.LEFT},
    State.DUPLICATE: {State.CLAIMED, State.ENDED, State.LEFT},
    State.QUEUED: {State.RUNNING, State.LEFT},
    State.RUNNING: {State.QUEUED, State.ENDING, State.ENDED, State.PAUSED, State.LEFT},
    State.ENDING: {State.ENDED, State.LEFT},
    State.ENDED: set(),
    State.PAUSED: set(),
    State.LEFT: set(),
}


class IllegalMove(Exception):  # noqa: N818  (a bug, never a fault)
    """The state of a trial cannot change in this way."""


class HasState(Protocol):
    """What is kept here: `sweeps.loop.trial_run.TrialRun`."""

    state: State

    @property
    def number(self) -> int: ...


Run = TypeVar("Run", bound=HasState)


class Trials(Generic[Run]):
    """The trials of this controller, by number. Only `move` changes their state."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}

    def __iter__(self) -> Iterator[Run]:
        return iter(list(self._runs.values()))

    def __len__(self) -> int:
        return len(self._runs)

    def of(self, number: int) -> Run | None:
        """The trial with a number; None if this controller does not have it."""
        return self._runs.get(number)

    def in_state(self, state: State) -> list[Run]:
        """The trials in a state, in the order in which they were claimed."""
        return [run for run in self if run.state is state]

    def has(self, run: Run) -> bool:
        """Whether this controller still has a trial, as far as it knows."""
        return self._runs.get(run.number) is run

    def add(self, run: Run) -> None:
        """Add a trial that was claimed. It must not be here already."""
        if run.state is not State.CLAIMED or run.number in self._runs:
            raise IllegalMove(f"trial {run.number} is {run.state.value}, and cannot be claimed now")
        self._runs[run.number] = run

    def move(self, run: Run, state: State) -> None:
        """Change the state of a trial. A trial that has ended or was left is removed.

        Raises:
            IllegalMove: the new state cannot follow the present one.
        """
        if state not in FOLLOWS[run.state] or not self.has(run):
            raise IllegalMove(f"trial {run.number} is {run.state.value}, and cannot be {state.value} next")
        run.state = state
        if not FOLLOWS[state]:
            del self._runs[run.number]

"""Where the state of a trial lives that this controller has: one enum, one table of what may follow, one door.

The study, which all controllers share, knows less: from CLAIMED to ENDING a trial is RUNNING there, under its owner;
when it is ENDED it is COMPLETE, PRUNED or FAIL. One that this controller has LEFT waits there, or is another's.
"""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweeps.loop.trial_run import TrialRun


class State(Enum):
    """What a trial is doing."""

    CLAIMED = "claimed"  # signed by this controller, its configuration drawn
    DUPLICATE = "duplicate"  # it waits for the end of an earlier trial of the same configuration
    QUEUED = "queued"  # its jobs wait for a slot, or for their next try
    RUNNING = "running"  # a job of it is in the launcher's hands
    ENDING = "ending"  # how it ends is decided, but other jobs of it still run
    ENDED = "ended"  # the study has its result
    LEFT = "left"  # not this controller's any more: given back, taken over by another, or out of reach


FOLLOWS = {
    State.CLAIMED: {State.DUPLICATE, State.QUEUED, State.ENDED, State.LEFT},
    State.DUPLICATE: {State.CLAIMED, State.ENDED, State.LEFT},
    State.QUEUED: {State.RUNNING, State.LEFT},
    State.RUNNING: {State.QUEUED, State.ENDING, State.ENDED, State.LEFT},
    State.ENDING: {State.ENDED, State.LEFT},
    State.ENDED: set(),
    State.LEFT: set(),
}


class IllegalMove(Exception):  # noqa: N818  (a bug, never a fault)
    """A trial was to enter a state that does not follow on its own."""


class Trials:
    """The trials that this controller has, by number. Their state changes in `move`, and nowhere else."""

    def __init__(self) -> None:
        self._runs: dict[int, TrialRun] = {}

    def __iter__(self) -> "Iterator[TrialRun]":
        return iter(list(self._runs.values()))

    def __len__(self) -> int:
        return len(self._runs)

    def of(self, number: int) -> "TrialRun | None":
        """The trial of a number, if this controller has it."""
        return self._runs.get(number)

    def in_state(self, state: State) -> "list[TrialRun]":
        """Those in a state, in the order in which they were claimed."""
        return [run for run in self if run.state is state]

    def has(self, run: "TrialRun") -> bool:
        """Whether a trial is still this controller's, as far as it knows."""
        return self._runs.get(run.number) is run

    def add(self, run: "TrialRun") -> None:
        """Take in a trial that was claimed. It must not be here already."""
        if run.state is not State.CLAIMED or run.number in self._runs:
            raise IllegalMove(f"trial {run.number} is {run.state.value}, and cannot be claimed now")
        self._runs[run.number] = run

    def move(self, run: "TrialRun", state: State) -> None:
        """Bring a trial into its next state. One that has ended or was left is here no more.

        Raises:
            IllegalMove: the state does not follow on the trial's own.
        """
        if state not in FOLLOWS[run.state] or not self.has(run):
            raise IllegalMove(f"trial {run.number} is {run.state.value}, and cannot be {state.value} next")
        run.state = state
        if not FOLLOWS[state]:
            del self._runs[run.number]

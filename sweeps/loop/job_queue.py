"""Jobs that wait to be submitted: for a slot, or for their next attempt."""

import time
from collections import deque
from collections.abc import Callable, Iterable

from sweeps.loop.trial_run import Job, TrialRun


class JobQueue:
    """A queue of jobs. A job that pauses is skipped until it is due.

    Args:
        clock: seconds of a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: deque[tuple[float, Job]] = deque()  # when due, by the clock

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def num_pausing(self) -> int:
        """The number of jobs that are not due yet."""
        now = self._clock()
        return sum(due_s > now for due_s, _ in self._jobs)

    def add(self, jobs: Iterable[Job]) -> None:
        """Put jobs at the end."""
        self._jobs.extend((self._clock(), job) for job in jobs)

    def add_first(self, job: Job, pause_s: float = 0.0) -> None:
        """Put a job in front, due after a pause."""
        self._jobs.appendleft((self._clock() + pause_s, job))

    def pop_due(self) -> Job | None:
        """The first job that is due; None if there is none."""
        now = self._clock()
        for place, (due_s, job) in enumerate(self._jobs):
            if due_s <= now:
                del self._jobs[place]
                return job
        return None

    def drop(self, run: TrialRun) -> None:
        """Remove the jobs of a trial."""
        self._jobs = deque((due_s, job) for due_s, job in self._jobs if job.run is not run)

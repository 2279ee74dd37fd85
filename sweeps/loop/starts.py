"""Whether the launcher can start jobs at all: while it cannot, no new trial is asked for, and at last the command ends.

A job that could not start is tried again after a pause, as often as it takes (sweeps/study/retry.py). What ends this
is the time for which no job at all could start.
"""

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

SEVERAL = 3  # starts that fail in a row, after which it is not the single job's trouble


class Starts:
    """Looks on how starts end. Says once that they fail, and once that they work again.

    Args:
        timeout_s: `sweep.start_timeout_s`.
        clock: seconds that never go back.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s, self._clock = timeout_s, clock
        self._num_in_a_row = 0
        self._first_s = self._last_s = 0.0  # of the failures in a row while no job ran
        self.last_reason = ""

    def failed(self, reason: str) -> None:
        """A job could not start."""
        self._last_s, self.last_reason = self._clock(), reason
        if not self._num_in_a_row:
            self._first_s = self._last_s
            log.warning("A job could not start (%s): it is tried again until it can, no trial fails for it.", reason)
        self._num_in_a_row += 1

    def worked(self) -> None:
        """A job has begun."""
        if self._num_in_a_row:
            log.warning("Jobs start again.")
        self._num_in_a_row = 0

    def note_running(self, num_running: int) -> None:
        """So many jobs run now: while one does, the time without any does not pass."""
        if num_running:
            self._first_s = self._last_s = self._clock()

    @property
    def are_failing(self) -> bool:
        """Whether several have failed in a row, so that no new trial is to be asked for."""
        return self._num_in_a_row >= SEVERAL

    @property
    def have_timed_out(self) -> bool:
        """Whether all have failed for too long, while no job ran."""
        return bool(self._num_in_a_row) and self._last_s - self._first_s >= self._timeout_s

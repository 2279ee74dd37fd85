"""Notice when the launcher cannot start jobs. Then no new trial is claimed, and after a while the command ends.

A job that could not start is tried again after a pause, without a limit (sweeps/study/retry.py). The only limit is the
time during which no job could start.
"""

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

SEVERAL = 3  # failed starts in a row, after which the cause is not a single job


class Starts:
    """Counts failed starts. Logs once that they fail, and once that they work again.

    Args:
        timeout_s: `sweep.start_timeout_s`.
        clock: seconds of a monotonic clock.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s, self._clock = timeout_s, clock
        self._num_in_a_row = 0
        self._first_s = self._last_s = 0.0  # of the failures in a row while no job ran
        self.last_reason = ""

    def failed(self, reason: str) -> None:
        """Note that a job could not start."""
        self._last_s, self.last_reason = self._clock(), reason
        if not self._num_in_a_row:
            self._first_s = self._last_s
            log.warning(
                "A job could not start (%s): it is tried again until it starts; its trial does not fail.", reason
            )
        self._num_in_a_row += 1

    def worked(self) -> None:
        """Note that a job has begun."""
        if self._num_in_a_row:
            log.warning("Jobs start again.")
        self._num_in_a_row = 0

    def note_running(self, num_running: int) -> None:
        """Note how many jobs run now: the time without any job is counted only while there is none."""
        if num_running:
            self._first_s = self._last_s = self._clock()

    @property
    def are_failing(self) -> bool:
        """Whether several starts have failed in a row, so that no new trial should be claimed."""
        return self._num_in_a_row >= SEVERAL

    @property
    def have_timed_out(self) -> bool:
        """Whether no job ran and all starts failed for longer than the timeout."""
        return bool(self._num_in_a_row) and self._last_s - self._first_s >= self._timeout_s

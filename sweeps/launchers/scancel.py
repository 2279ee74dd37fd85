"""Cancel SLURM jobs, without waiting for a SLURM that does not answer."""

import logging
import subprocess
import threading
import time

log = logging.getLogger(__name__)


class Scancel:
    """Runs scancel. After it has not answered, no call asks again for a while: each would wait as long.

    Args:
        timeout_s: how long scancel may take, and how long it is then not asked.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s, self._lock, self._silent_until = timeout_s, threading.Lock(), 0.0

    def __call__(self, which: str) -> None:
        """Cancel what an argument of scancel names, a job's number or `--name=NAME`; errors of scancel are ignored."""
        with self._lock:
            if time.monotonic() < self._silent_until:
                return
            try:
                subprocess.run(["scancel", which], check=False, timeout=self._timeout_s)
            except (OSError, subprocess.TimeoutExpired) as error:
                log.warning("scancel does not answer (%s): jobs may still run, squeue --me lists them.", error)
                self._silent_until = time.monotonic() + self._timeout_s

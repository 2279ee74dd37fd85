"""The states of SLURM jobs from squeue, which knows a job at once, and also works without accounting.

submitit uses sacct, which does not work on clusters without accounting: a job that died would never be noticed.
"""

import logging
import subprocess
import threading
import time

from submitit.slurm.slurm import SlurmInfoWatcher

log = logging.getLogger(__name__)

COMMAND = ("squeue", "--me", "--states=all", "--noheader", "--format=%i|%T|%N")
# squeue lists an ended job for some minutes (MinJobAge). A job that it does not know ended longer ago.
FORGOTTEN = "FORGOTTEN"
ENDED = (
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY REVOKED SPECIAL_EXIT TIMEOUT " + FORGOTTEN
).split()


class QueueWatcher(SlurmInfoWatcher):
    """Asks for the jobs of all slots at once, at most every `delay_s`, and soon after a submission."""

    _last_status_check: float  # defined in submitit, which need not be installed for type checking

    def __init__(self, delay_s: int, timeout_s: float) -> None:
        super().__init__(delay_s)
        self._lock, self._timeout_s = threading.Lock(), timeout_s

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        return self.get_state(job_id, mode).upper() in ENDED

    def update(self) -> None:
        """Ask for all jobs that have not ended. If SLURM does not answer, keep the last known states."""
        asked_at = time.time()
        with self._lock:
            # Taken before asking: a job that is submitted meanwhile is not in the answer.
            open_jobs = self._registered - self._finished
            if not open_jobs or self._last_status_check > asked_at:
                return
            try:
                answer = subprocess.run(COMMAND, check=True, capture_output=True, text=True, timeout=self._timeout_s)
            except (OSError, subprocess.SubprocessError) as error:
                log.warning("squeue does not answer: %s", getattr(error, "stderr", None) or error)
                self._last_status_check = time.time()
                return
            listed_states = states(answer.stdout)
            for number in open_jobs:
                self._info_dict[number] = listed_states.get(number, {"State": FORGOTTEN})
                if self._info_dict[number]["State"] in ENDED:
                    self._finished.add(number)
            self._last_status_check = time.time()


def states(listed: str) -> dict[str, dict[str, str]]:
    """Job number -> the fields that submitit needs, from the output of COMMAND."""
    rows = [line.split("|") for line in listed.splitlines()]
    return {number: {"JobID": number, "State": state, "NodeList": nodes} for number, state, nodes in rows}

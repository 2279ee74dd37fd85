"""What SLURM says of its jobs, by squeue: it knows them at once, and on clusters without accounting too.

submitit asks sacct, which is disabled where a cluster keeps no accounts: a job that died would never be noticed.
"""

import logging
import subprocess
import threading
import time

from submitit.slurm.slurm import SlurmInfoWatcher

log = logging.getLogger(__name__)

COMMAND = ("squeue", "--me", "--states=all", "--noheader", "--format=%i|%T|%N")
# squeue lists a job that has ended for some minutes (MinJobAge); one that it does not know has ended before that.
FORGOTTEN = "FORGOTTEN"
ENDED = (
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY REVOKED SPECIAL_EXIT TIMEOUT " + FORGOTTEN
).split()


class QueueWatcher(SlurmInfoWatcher):
    """One look at the queue for the jobs of all slots, every `delay_s` at most, and soon after a submission."""

    _last_status_check: float  # of submitit, which need not be installed where types are checked

    def __init__(self, delay_s: int) -> None:
        super().__init__(delay_s)
        self._lock = threading.Lock()

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        return self.get_state(job_id, mode).upper() in ENDED

    def update(self) -> None:
        """Ask for all jobs that have not ended. Where SLURM does not answer, what is known stays."""
        asked_at = time.time()
        with self._lock:
            # Before the question: a job that is submitted meanwhile is not in the answer.
            open_jobs = self._registered - self._finished
            if not open_jobs or self._last_status_check > asked_at:
                return
            try:
                listed = subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout
            except (OSError, subprocess.CalledProcessError) as error:
                log.warning("squeue does not answer: %s", getattr(error, "stderr", None) or error)
                self._last_status_check = time.time()
                return
            listed_states = states(listed)
            for number in open_jobs:
                self._info_dict[number] = listed_states.get(number, {"State": FORGOTTEN})
                if self._info_dict[number]["State"] in ENDED:
                    self._finished.add(number)
            self._last_status_check = time.time()


def states(listed: str) -> dict[str, dict[str, str]]:
    """Job number -> what submitit wants to know of it, from the output of COMMAND."""
    rows = [line.split("|") for line in listed.splitlines()]
    return {number: {"JobID": number, "State": state, "NodeList": nodes} for number, state, nodes in rows}

"""The retry policy: whether a job whose worker was lost runs again, and when.

Who uses it. A launcher never runs a lost job again: it only sets WorkerLost on the job's future. Then
`sweeps/loop/own_trials.py` asks this policy, and `sweeps/loop/final_runs.py` for the final runs. A controller that
takes over a trial of a dead controller (`sweeps/study/ownership.py`) asks before it begins the trial.

What counts. Attempts are counted from the job records that the study stores with the trial (job_records.py), so that
`sweep.max_retries` is a limit for all controllers together. A lost job is an attempt, also if it was lost together with
its controller. A job that was stopped with its command is not an attempt. Neither is a job that could not start: if no
job can start at all, the command ends after a while (`sweeps/loop/starts.py`). If `sweep.retry_failed` runs a trial
again, its attempts begin at 0 (trial_counts.py).

Some restarts are not retries, since no worker is lost. `launchers/pool.py` puts a job back if there is no room yet, and
runs a job again alone if its device had no memory left. SLURM requeues a preempted job itself
(`launchers/remote_job.py`). `loop/batch_adapter.py` runs the jobs of a failed batch one by one, to find the job that
failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.study.job_records import LOST, JobRecord


@dataclass(frozen=True)
class Retry:
    """The answer of the policy.

    Args:
        pause_s: time after which the job runs again; None if it does not run again.
        reason: why it does not run again, in one sentence.
    """

    pause_s: float | None
    reason: str = ""


@dataclass(frozen=True)
class RetryPolicy:
    """Decides how often a job runs again, and after which pause. The pause doubles each time, up to the longest.

    Args:
        max_retries: `sweep.max_retries`; a job begins at most once more than that.
    """

    max_retries: int
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0

    def ask(self, records: Sequence[JobRecord], num_failed_starts: int = 0) -> Retry:
        """May this job run again, and when?

        Args:
            records: its attempts so far, of one seed of a trial.
            num_failed_starts: how often in a row it could not start.
        """
        lost = [record.reason for record in records if record.ending == LOST]
        if len(lost) > self.max_retries:
            how_often = f"{len(lost)} times, the last" if len(lost) > 1 else "once"
            return Retry(None, f"the worker was lost {how_often}: {lost[-1]}; sweep.max_retries={self.max_retries}")
        return Retry(self._pause_s(num_failed_starts or len(lost)))

    def _pause_s(self, num_losses: int) -> float:
        doublings = min(num_losses - 1, 30)  # keeps the power of two in range
        return min(self.first_pause_s * 2.0**doublings, self.longest_pause_s) if num_losses else 0.0

"""Whether a job whose worker was lost runs again, and when: one policy, asked by all who submit jobs.

Where retrying lives. A launcher never runs a lost job again: it sets WorkerLost on its future, nothing else. Then
`sweeps/loop/loop.py` asks here, for the runs at the end `sweeps/loop/final_runs.py`. A controller that claims a trial
which another one left behind (`sweeps/study/ownership.py`) asks before it begins it.

What counts. Attempts are counted from the job records that the study keeps with the trial (job_records.py), so that
`sweep.max_retries` holds whoever runs it. A job that was lost is an attempt, also one that was lost with its
controller. No attempt is a job that was stopped with its command, nor one that could not start: it has not begun. If
no job can start at all, the command ends after a while (`sweeps/loop/starts.py`). Of a trial that `sweep.retry_failed`
runs again the attempts begin at 0 (trial_counts.py).

What looks like a retry, and loses no worker: `launchers/pool.py` puts a job back that finds no room yet, and runs a
job again alone if its device had no memory left; SLURM requeues a preempted job itself (`launchers/remote_job.py`);
`loop/batch_adapter.py` gives the jobs of a batch that failed one by one, to learn which of them fails it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.study.job_records import LOST, JobRecord


@dataclass(frozen=True)
class Retry:
    """The answer of the policy.

    Args:
        pause_s: after which the job runs again; None if it does not.
        reason: why it does not, in one sentence.
    """

    pause_s: float | None
    reason: str = ""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a job runs again, and after which pauses: the first one, doubled each time, up to the longest.

    Args:
        max_retries: `sweep.max_retries`; a job is begun once more than that at most.
    """

    max_retries: int
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0

    def ask(self, records: Sequence[JobRecord], num_failed_starts: int = 0) -> Retry:
        """May this job run again, and when?

        Args:
            records: its attempts so far, of one seed of a trial.
            num_failed_starts: how often in a row it could not start by now.
        """
        lost = [record.reason for record in records if record.ending == LOST]
        if len(lost) > self.max_retries:
            how_often = f"{len(lost)} times, the last" if len(lost) > 1 else "once"
            return Retry(None, f"the worker was lost {how_often}: {lost[-1]}; sweep.max_retries={self.max_retries}")
        return Retry(self._pause_s(num_failed_starts or len(lost)))

    def _pause_s(self, num_losses: int) -> float:
        doublings = min(num_losses - 1, 30)  # no number is too large
        return min(self.first_pause_s * 2.0**doublings, self.longest_pause_s) if num_losses else 0.0

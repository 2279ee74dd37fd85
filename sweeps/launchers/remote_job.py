"""One job as an object to send to processes that this package did not start itself.

The classes here are pickled by value (see `sent_by_value`), so that the other process can load them before it knows
where `sweeps` is. So nothing of this package is imported at module level.
"""

import os
import pickle
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RemoteJob:
    """Runs one job in the process that calls it, and returns its packed Reply.

    SLURM calls `checkpoint` before it takes the node away.

    Args:
        folder: where the sweep was started; paths are relative to it.
        ran_s: how long its earlier starts ran together.
        began_s: when this start began, by the clock of its process; None before that.
    """

    packed_task: bytes
    overrides: Sequence[str]
    job_num: int
    show_output: bool = False
    folder: str = field(default_factory=os.getcwd)
    path: list[str] = field(default_factory=lambda: list(sys.path))
    ran_s: float = 0.0
    began_s: float | None = None

    def __call__(self) -> bytes:
        sys.path.extend(folder for folder in self.path if folder not in sys.path)
        from sweeps.launchers.worker_main import run_packed

        self.began_s = time.monotonic()
        what = (self.packed_task, list(self.overrides), self.job_num)
        return run_packed(*what, self.folder, self.show_output, self.ran_s)

    def checkpoint(self) -> Any:
        """The same job again, in the same folder: its task function resumes from what it saved there.

        SLURM itself requeues it under the same job number: no worker is lost, and this does not count as an attempt.
        """
        from submitit.helpers import DelayedSubmission

        _outlive_scontrol()
        if self.began_s is not None:
            self.ran_s, self.began_s = self.ran_s + time.monotonic() - self.began_s, None
        return DelayedSubmission(self)


def _outlive_scontrol() -> None:
    """Let submitit treat a `scontrol requeue` that SIGTERM ended as done.

    SLURM sends SIGTERM to all processes of the job, also to this command. Otherwise the exception of the command would
    be raised in the task function, and the job would fail.
    """
    import signal
    import subprocess

    from submitit.slurm.slurm import SlurmJobEnvironment

    environment: Any = SlurmJobEnvironment
    requeue = environment._requeue

    def outliving(self: Any, countdown: int) -> None:
        try:
            requeue(self, countdown)
        except subprocess.CalledProcessError as error:
            if error.returncode != -signal.SIGTERM:
                raise

    environment._requeue = outliving


class RayWorker:
    """A Ray actor that runs jobs."""

    def where(self) -> str:
        """The node that the actor runs on, and its devices."""
        import socket

        import ray

        devices = ",".join(f"cuda:{number}" for number in ray.get_gpu_ids())
        return f"{socket.gethostname()} {devices or 'cpu'}"

    def run(self, packed: bytes) -> bytes:
        """Run a pickled RemoteJob; returns its packed Reply."""
        reply: bytes = pickle.loads(packed)()
        return reply


def sent_by_value(job: RemoteJob) -> bytes:
    """A RemoteJob, pickled by value."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    packed: bytes = cloudpickle.dumps(job)
    return packed

"""One job as a thing to be sent: for processes that this package did not start itself.

The classes here go by value (see `sent_by_value`), so that the other side can load them before it knows where `sweeps`
is. Hence: nothing of this package is imported at module level.
"""

import os
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RemoteJob:
    """Runs one job where it is called and gives its packed Reply. SLURM calls `checkpoint` before it takes the node.

    Args:
        folder: where the sweep was started, and what paths are relative to.
    """

    packed_task: bytes
    overrides: Sequence[str]
    job_num: int
    show_output: bool = False
    folder: str = field(default_factory=os.getcwd)
    path: list[str] = field(default_factory=lambda: list(sys.path))

    def __call__(self) -> bytes:
        sys.path.extend(folder for folder in self.path if folder not in sys.path)
        from sweeps.launchers.worker_main import run_packed

        return run_packed(self.packed_task, list(self.overrides), self.job_num, self.folder, self.show_output)

    def checkpoint(self) -> Any:
        """The same job again, in the same folder: its task function resumes from what it saved there.

        It is SLURM's own requeueing, under the same job number: no worker is lost, and no attempt is counted.
        """
        from submitit.helpers import DelayedSubmission

        _outlive_scontrol()
        return DelayedSubmission(self)


def _outlive_scontrol() -> None:
    """Have submitit take a `scontrol requeue` that SIGTERM ended for done: SLURM sends it to all that the job runs.

    Its exception would be raised in the task function, and fail the job.
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
    """A Ray actor."""

    def where(self) -> str:
        """The node that it runs on, and its devices."""
        import socket

        import ray

        devices = ",".join(f"cuda:{number}" for number in ray.get_gpu_ids())
        return f"{socket.gethostname()} {devices or 'cpu'}"

    def run(self, packed: bytes) -> bytes:
        """Call a pickled RemoteJob."""
        reply: bytes = pickle.loads(packed)()
        return reply


def sent_by_value(job: RemoteJob) -> bytes:
    """A RemoteJob, pickled."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    packed: bytes = cloudpickle.dumps(job)
    return packed

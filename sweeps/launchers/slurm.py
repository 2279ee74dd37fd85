"""Each job a SLURM job, through submitit: requeued from its checkpoint when its time is up or its node is taken."""

import math
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from sweeps.launchers import remote
from sweeps.launchers.contract import JobTimeout, WorkerLost
from sweeps.launchers.pool import Limits, SlotPool
from sweeps.launchers.pooled import PooledLauncher
from sweeps.launchers.remote import RemoteJob
from sweeps.launchers.reply import Reply
from sweeps.launchers.slots import Device, Slot

EXECUTORS = ("slurm", "local")
# For what a job has written to become visible here, over a network file system.
RESULT_PATIENCE_S = 10.0


class SlurmLauncher(PooledLauncher):
    """See SlurmConfig for the arguments."""

    def __init__(
        self,
        executor: str = "slurm",
        max_parallel: int = 64,
        time_limit_s: float | None = None,
        grace_s: float = 5.0,
        folder: str = ".submitit",
        max_num_timeout: int = 3,
        poll_s: float = 1.0,
        look_s: int = 60,
        name: str = "spectral",
        show_output: bool = False,
        additional: Any = None,
        partition: str | None = None,
        signal_delay_s: int = 90,
        **resources: Any,
    ) -> None:
        if executor not in EXECUTORS:
            raise HydraException(f"hydra.launcher.executor={executor} is not known: allowed are {', '.join(EXECUTORS)}")
        self._max_parallel = max_parallel
        self._cluster, self._folder, self._max_num_timeout = executor, folder, max_num_timeout
        self._poll_s, self._look_s, self._show_output, self._name = poll_s, look_s, show_output, name
        self._limits = Limits(time_limit_s, grace_s, retry_alone=False)
        self._parameters = {name: value for name, value in resources.items() if value is not None}
        if executor == "slurm":
            plain: Any = OmegaConf.to_container(additional) if isinstance(additional, DictConfig) else additional
            chosen = {"partition": partition} if partition is not None else {}
            self._parameters["slurm_additional_parameters"] = chosen | (plain or {})
            self._parameters["slurm_signal_delay_s"] = signal_delay_s

    @property
    def num_slots(self) -> int:
        return self._max_parallel

    def _job_name(self, controller: str) -> str:
        """By which all jobs of a controller are found, those included that it had no time to make a note of."""
        return f"{self._name}-{controller}" if controller else self._name

    def end_jobs_of(self, controller: str) -> None:
        """As in StreamingLauncher."""
        if self._cluster == "slurm":
            subprocess.run(["scancel", f"--name={self._job_name(controller)}"], check=False)

    def make_pool(self) -> SlotPool:
        try:
            import submitit
        except ImportError as error:
            raise HydraException("hydra/launcher=slurm needs submitit: pip install 'spectral[slurm]'") from error
        timeouts = {f"{self._cluster}_max_num_timeout": self._max_num_timeout}
        executor = submitit.AutoExecutor(folder=str(self._folder), cluster=self._cluster, **timeouts)
        executor.update_parameters(name=self._job_name(self.controller), **self._parameters)
        if self._cluster == "slurm":
            from sweeps.launchers.squeue import QueueWatcher

            submitit.SlurmJob.watcher = QueueWatcher(self._look_s)
        cloudpickle.register_pickle_by_value(remote)
        submit = partial(_submit, executor, threading.Lock())
        slots = [
            Slot(f"{self._cluster}/{i}", Device(f"{self._cluster}/{i}"), num_threads=1) for i in range(self.num_slots)
        ]
        return SlotPool(slots, partial(_start, submit, self.task.pack(), self._show_output, self._poll_s), self._limits)


class SlurmWorker:
    """Submits one job after another and waits for each."""

    place: str | None = None
    pid: int | None = None  # on another machine; SLURM's job number is in `place`
    alive = has_room = True

    def __init__(
        self, submit: Callable[[RemoteJob], Any], packed_task: bytes, show_output: bool, poll_s: float
    ) -> None:
        self._submit, self._packed_task, self._show_output, self._poll_s = submit, packed_task, show_output, poll_s
        self._stopped: str | None = None
        self._job: Any = None

    def run(
        self, overrides: Sequence[str], job_num: int, time_limit_s: float | None = None, grace_s: float = 5
    ) -> Reply:
        """As in pool_worker.Worker."""
        if self._stopped:
            raise WorkerLost(self._stopped)
        job = self._job = self._submit(RemoteJob(self._packed_task, overrides, job_num, self._show_output))
        self.place = f"job {job.job_id}"
        deadline = math.inf
        while not job.done():
            if time_limit_s is not None and math.isinf(deadline) and _is_running(job):
                deadline = time.monotonic() + time_limit_s
            if self._stopped or time.monotonic() > deadline:
                self._cancel(grace_s)
                break
            time.sleep(self._poll_s)
        return self._outcome(time_limit_s if time.monotonic() > deadline else None)

    def _outcome(self, exceeded_s: float | None) -> Reply:
        if self._stopped:
            raise WorkerLost(self._stopped)
        if exceeded_s is not None and not self._job.paths.result_pickle.exists():
            raise JobTimeout(f"time limit of {exceeded_s:g} s reached")
        if not _appears(self._job.paths.result_pickle):
            state = self._job.state
            reason = f"{self.place} ended without a result (state {state}), see {self._job.paths.stderr}"
            raise JobTimeout(reason) if state == "TIMEOUT" else WorkerLost(reason)
        error = self._job.exception()
        if error is not None:
            # Not of the task function, whose exceptions come in the Reply: the job was not requeued.
            raise WorkerLost(f"{self.place}: {str(error).strip()}")
        return Reply.unpack(self._job.result())

    def _cancel(self, grace_s: float) -> None:
        self._job.cancel(check=False)
        deadline = time.monotonic() + grace_s
        while not self._job.done() and time.monotonic() < deadline:
            time.sleep(min(self._poll_s, 0.2))

    def interrupt(self, reason: str) -> None:
        """As in pool_worker.Worker; seen at the next poll."""
        self._stopped = reason

    def kill(self) -> None:
        """As in pool_worker.Worker."""
        if self._job is not None:
            self._job.cancel(check=False)

    def end(self, grace_s: float) -> None:
        """As in pool_worker.Worker: nothing is kept between jobs."""


def _start(
    submit: Callable[[RemoteJob], Any], packed_task: bytes, show_output: bool, poll_s: float, slot: Slot, alone: bool
) -> SlurmWorker:
    return SlurmWorker(submit, packed_task, show_output, poll_s)


def _submit(executor: Any, lock: threading.Lock, job: RemoteJob) -> Any:
    with lock:
        return executor.submit(job)


def _is_running(job: Any) -> bool:
    # "standard" asks the cluster for all jobs together and now and then only.
    return "RUNNING" in job.get_info(mode="standard").values()


def _appears(path: Path) -> bool:
    deadline = time.monotonic() + RESULT_PATIENCE_S
    while not path.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
        # Asks a network file system to look again.
        list(path.parent.iterdir())
    return True

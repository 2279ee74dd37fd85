"""The interface of a launcher that returns each job as soon as it ends.

Terms: a job is one run of the task function. A slot is a device, or a share of one. A worker is the process that runs
the jobs of a slot.
"""

import contextlib
import itertools
import logging
from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from sweeps.launchers.task import Task

log = logging.getLogger(__name__)


class WorkerLost(Exception):  # noqa: N818  (not an error of the job)
    """The process of a job ended before the job did. `reason` says how: signal, exit code, time limit, memory."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StartFailed(WorkerLost):
    """No worker could be started for a job, so that it has not begun: no process, or a cluster that accepts no job."""


class JobTimeout(WorkerLost):
    """The worker of a job was ended because the job took longer than its time limit."""


class StreamingLauncher(Launcher):
    """A Hydra launcher that returns a future for each job.

    A future holds one of:
        a JobReturn, as Hydra makes it: the result of the task function, or in `_return_value` the exception it raised,
            with the worker's traceback as its cause;
        WorkerLost: the job did not end, and may be submitted again; its subclass StartFailed: the job has not begun;
        any other exception: the job can never run (its overrides do not compose, the task cannot be imported).

    If a worker is lost, WorkerLost is set on the future, nothing else: the launcher does not retry, and `submit` does
    not raise. The sweep decides whether the job is submitted again, and when (sweeps/study/retry.py).
    """

    devices: Sequence[str] | None = None
    """What a job sees, in torch's names, if jobs run on this machine; None if they run elsewhere."""
    controller = ""  # the id of a sweep's controller, set before the first job

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config
        self.task = Task(hydra_context, config, task_function)

    @property
    @abstractmethod
    def num_slots(self) -> int:
        """The number of jobs that can run at once."""

    @abstractmethod
    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        """Queue a job; jobs wait in order for a free slot. Thread-safe. A waiting job's future can be cancelled."""

    @abstractmethod
    def slot_of(self, job_num: int) -> str | None:
        """The slot where a job runs or last ran; None until it has begun there."""

    def ran_s(self, job_num: int) -> float | None:
        """How long an ended job ran, without its time in the queue of a cluster; None if it was not measured."""
        return None

    def end_jobs_of(self, controller: str) -> None:
        """End the jobs that a killed controller left behind. Does nothing if jobs end with their controller."""

    @abstractmethod
    def shutdown(self, wait: bool = True) -> None:
        """End all workers, after the jobs submitted so far or at once (cancels waiting jobs, loses running ones)."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Hydra's own interface: submit all jobs and wait for them. For a lost worker it returns a failed JobReturn."""
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        Path(str(self.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        log.info("Launching %d jobs on %d slots", len(job_overrides), self.num_slots)
        futures = []
        for num, overrides in enumerate(job_overrides, start=initial_job_idx):
            log.info("\t#%d : %s", num, " ".join(filter_overrides(overrides)))
            futures.append(self.submit(overrides, num))
        try:
            return [self._gathered(*job) for job in zip(itertools.count(initial_job_idx), futures, job_overrides)]
        except BaseException:
            self.shutdown(wait=False)
            raise

    @staticmethod
    def _gathered(num: int, future: "Future[JobReturn]", overrides: Sequence[str]) -> JobReturn:
        try:
            returned = future.result()
        except WorkerLost as lost:
            return JobReturn(overrides=list(overrides), status=JobStatus.FAILED, _return_value=lost)
        if returned.status == JobStatus.COMPLETED and returned.hydra_cfg is not None:
            value, folder = returned.return_value, returned.hydra_cfg.hydra.runtime.output_dir
            shown = "" if value is None else f" with {value:.4f}" if isinstance(value, float) else f" with {value}"
            log.info("\t#%d ended%s: %s", num, shown, folder)
        return returned


def settle(future: "Future[Any]", result: Any = None, error: BaseException | None = None) -> None:
    """Set the outcome of a future, unless it is set already."""
    with contextlib.suppress(InvalidStateError):  # cancelled meanwhile
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

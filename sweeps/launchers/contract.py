"""What a sweeper may expect of a launcher that hands back each job the moment it ends.

Words: a job is one run of the task function; a slot is a device and a share of it; a worker is the process that runs
the jobs of a slot.
"""

import contextlib
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
    """The process that ran a job ended before the job did. `reason` says how: signal, exit code, time, memory."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StartFailed(WorkerLost):
    """No worker could be started for the job, which has not begun: no process, or a cluster that takes no job."""


class JobTimeout(WorkerLost):
    """The job's worker was ended because the job took longer than its time limit."""


class StreamingLauncher(Launcher):
    """A Hydra launcher with futures.

    What a future holds:
        a JobReturn, as Hydra makes it: the task function's result, or in `_return_value` the exception it raised,
            with the worker's traceback as its cause;
        WorkerLost: the job did not end, and may be submitted again; of its kind StartFailed: it has not even begun;
        any other exception: it never can (its overrides do not compose, the task cannot be imported).

    A lost worker sets WorkerLost on its future, nothing else: the launcher does not retry, `submit` does not raise.
    Who submits the job again, and when, is the sweep's to decide (sweeps/study/retry.py).
    """

    controller = ""  # the id of a sweep's controller, set before the first job

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config
        self.task = Task(hydra_context, config, task_function)

    @property
    @abstractmethod
    def num_slots(self) -> int:
        """Jobs that can run at once."""

    @abstractmethod
    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        """Queue a job; jobs wait in order for a free slot. Thread-safe. A waiting job's future can be cancelled."""

    @abstractmethod
    def slot_of(self, job_num: int) -> str | None:
        """The slot where a job runs or last ran; None until it has begun there."""

    def end_jobs_of(self, controller: str) -> None:
        """End what a controller has left behind that was killed; nothing, where jobs end with it."""

    @abstractmethod
    def shutdown(self, wait: bool = True) -> None:
        """End all workers: after the jobs submitted so far, or at once (waiting jobs cancelled, running ones lost)."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Hydra's own interface: submit all, then gather. A lost worker is a failed JobReturn here."""
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        Path(str(self.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        log.info("Launching %d jobs on %d slots", len(job_overrides), self.num_slots)
        futures = []
        for num, overrides in enumerate(job_overrides, start=initial_job_idx):
            log.info("\t#%d : %s", num, " ".join(filter_overrides(overrides)))
            futures.append(self.submit(overrides, num))
        try:
            return [self._gathered(future, overrides) for future, overrides in zip(futures, job_overrides, strict=True)]
        except BaseException:
            self.shutdown(wait=False)
            raise

    @staticmethod
    def _gathered(future: "Future[JobReturn]", overrides: Sequence[str]) -> JobReturn:
        try:
            return future.result()
        except WorkerLost as lost:
            return JobReturn(overrides=list(overrides), status=JobStatus.FAILED, _return_value=lost)


def settle(future: "Future[Any]", result: Any = None, error: BaseException | None = None) -> None:
    """Give a future its outcome, where nobody else has."""
    with contextlib.suppress(InvalidStateError):  # cancelled meanwhile
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

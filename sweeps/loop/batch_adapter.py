"""Adapter for launchers that only run whole batches: it gives the sweeper a future for each job."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from hydra.core.utils import JobReturn

from sweeps.launchers.contract import WorkerLost
from sweeps.loop.interrupts import Interrupts

log = logging.getLogger(__name__)

BatchedJob = tuple[Sequence[str], int, Future[JobReturn]]


class Batches:
    """A third-party launcher with a `submit`: jobs are collected until `flush` runs them all."""

    controller = ""  # set as for a streaming launcher, but not passed to the third-party launcher

    def __init__(self, launcher: Any, num_slots: int, interrupts: Interrupts) -> None:
        self._launcher, self.num_slots, self._interrupts = launcher, num_slots, interrupts
        self._jobs: list[BatchedJob] = []

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        future: Future[JobReturn] = Future()
        self._jobs.append((overrides, job_num, future))
        return future

    def flush(self) -> None:
        """Run the submitted jobs. If the launcher itself fails, run each job alone: only jobs that fail it are lost.

        Raises:
            KeyboardInterrupt: after Ctrl-C the launcher has failed, or more jobs would begin. Their trials then wait.
        """
        jobs, self._jobs = self._jobs, []
        self._interrupts.in_batch = True
        try:
            if len(jobs) > 1 and self._launch(jobs) is None:
                return
            for job in jobs:
                error = self._launch([job])
                if error is not None:
                    job[2].set_exception(WorkerLost(f"the launcher failed: {type(error).__name__}: {error}"))
        finally:
            self._interrupts.in_batch = False

    def _launch(self, jobs: list[BatchedJob]) -> Exception | None:
        """Launch jobs and set their results; returns the error if the launcher failed."""
        if self._interrupts.draining:
            raise KeyboardInterrupt
        try:
            returns = self._launcher.launch([overrides for overrides, _, _ in jobs], jobs[0][1])
        except Exception as error:
            if self._interrupts.draining:  # perhaps by Ctrl-C, so that this is no attempt of the jobs
                log.warning("The launcher failed, and its jobs are left to a later command: %s", error)
                raise KeyboardInterrupt from error
            return error
        for (_, _, future), result in zip(jobs, returns, strict=True):
            future.set_result(result)
        return None

    def slot_of(self, job_num: int) -> str | None:
        return None

    def ran_s(self, job_num: int) -> float | None:
        return None

    def end_jobs_of(self, controller: str) -> None:
        """Do nothing: the jobs of a controller are not known here. They end by themselves, see lease.py."""

    def shutdown(self, wait: bool = True) -> None:
        """Do nothing: no job runs between batches."""


def batch_size(launcher_config: Any, given: int | None) -> int:
    """How many jobs a launcher gets at once: `sweep.batch_size`, or as many as it runs at a time by its own config."""
    import os

    if given is not None:
        return given
    for key in ("n_jobs", "array_parallelism"):
        size = launcher_config.get(key)
        if isinstance(size, int) and size:
            return size if size > 0 else os.cpu_count() or 1
    return 1

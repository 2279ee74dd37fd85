"""Jobs on this machine, in long-lived worker processes, one for each slot."""

import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property, partial
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import ListConfig

from sweeps.launchers.contract import StreamingLauncher
from sweeps.launchers.pool import Job, Limits, SlotPool
from sweeps.launchers.process import Worker
from sweeps.launchers.slots import Slot, plan_slots
from sweeps.launchers.worker import Settings


class LocalLauncher(StreamingLauncher):
    """See LocalConfig for the arguments."""

    def __init__(
        self,
        devices: Any = "auto",
        jobs_per_device: int | None = None,
        memory_share: float | None = None,
        threads_per_job: int | None = None,
        time_limit_s: float | None = None,
        memory_limit_gb: float | None = None,
        grace_s: float = 5.0,
        retry_alone: bool = True,
        show_output: bool = False,
    ) -> None:
        devices = list(devices) if isinstance(devices, ListConfig) else devices
        self.slots = plan_slots(devices, jobs_per_device, memory_share, threads_per_job)
        self._limits = Limits(time_limit_s, grace_s, retry_alone)
        memory_limit_bytes = None if memory_limit_gb is None else int(memory_limit_gb * 2**30)
        self._settings = Settings(sys.argv, show_output, memory_limit_bytes)

    @property
    def num_slots(self) -> int:
        return len(self.slots)

    @cached_property
    def _pool(self) -> SlotPool:
        """Made at the first job: until then neither a process nor a thread exists."""
        pool = SlotPool(self.slots, partial(_start, self._settings, self.task.pack()), self._limits)
        # At the end of the launcher or of the interpreter, whichever comes first.
        weakref.finalize(self, pool.close, wait=False)
        return pool

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        return self._pool.submit(overrides, job_num)

    def slot_of(self, job_num: int) -> str | None:
        job = self._job(job_num)
        return job.slot if job else None

    def pid_of(self, job_num: int) -> int | None:
        job = self._job(job_num)
        return job.pid if job else None

    def _job(self, job_num: int) -> Job | None:
        return self._pool.job(job_num) if "_pool" in vars(self) else None

    def shutdown(self, wait: bool = True) -> None:
        if "_pool" in vars(self):
            self._pool.close(wait)


def _start(settings: Settings, packed_task: bytes, slot: Slot, alone: bool) -> Worker:
    return Worker(slot.environment(alone=alone), settings, packed_task)

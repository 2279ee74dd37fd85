"""Jobs on this machine, in long-lived worker processes, one for each slot."""

import sys
from functools import partial
from typing import Any

from omegaconf import ListConfig

from sweeps.launchers.pool import Limits, SlotPool
from sweeps.launchers.pooled import PooledLauncher
from sweeps.launchers.process import LocalWorker
from sweeps.launchers.slots import Slot, plan_slots
from sweeps.launchers.worker import Settings


class LocalLauncher(PooledLauncher):
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

    def make_pool(self) -> SlotPool:
        return SlotPool(self.slots, partial(_start, self._settings, self.task.pack()), self._limits)


def _start(settings: Settings, packed_task: bytes, slot: Slot, alone: bool) -> LocalWorker:
    return LocalWorker(slot.environment(alone=alone), settings, packed_task)

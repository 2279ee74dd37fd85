"""Jobs on this machine, in long-lived worker processes, one for each slot."""

import sys
from functools import partial
from typing import Any

from sweeps.launchers.config import LocalConfig
from sweeps.launchers.local_worker import LocalWorker
from sweeps.launchers.pool import Limits, SlotPool
from sweeps.launchers.pooled_launcher import PooledLauncher
from sweeps.launchers.slots import CPU, Slot, plan_slots, seen_by_jobs
from sweeps.launchers.worker_main import Settings
from sweeps.options import checked


class LocalLauncher(PooledLauncher):
    """Runs jobs on this machine; its options are those of LocalConfig."""

    def __init__(self, **options: Any) -> None:
        chosen = checked(LocalConfig, options)
        self.slots = plan_slots(chosen.devices, chosen.jobs_per_device, chosen.memory_share, chosen.threads_per_job)
        self.devices = seen_by_jobs(num_cuda=sum(slot.device.name != CPU for slot in self.slots[:1]))
        self._limits = Limits(chosen.time_limit_s, chosen.grace_s, chosen.retry_alone)
        limit_gb = chosen.memory_limit_gb
        memory_limit_bytes = None if limit_gb is None else int(limit_gb * 2**30)
        self._load_timeout_s = chosen.load_timeout_s
        self._settings = Settings(sys.argv, chosen.show_output, memory_limit_bytes)

    @property
    def num_slots(self) -> int:
        return len(self.slots)

    def make_pool(self) -> SlotPool:
        start = partial(_start, self._settings, self.task.pack(), self._load_timeout_s)
        return SlotPool(self.slots, start, self._limits)


def _start(settings: Settings, packed_task: bytes, load_timeout_s: float, slot: Slot, alone: bool) -> LocalWorker:
    return LocalWorker(slot.environment(alone=alone), settings, packed_task, load_timeout_s)

"""Options of the launchers; each is a `hydra.launcher.<field>=...` of the command line."""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore


@dataclass
class LocalConfig:
    """Warm worker processes on this machine, one for each slot."""

    _target_: str = "hydra_plugins.spectral_local_launcher.LocalLauncher"
    devices: Any = "auto"  # auto, cpu, or a list of CUDA devices by number or UUID
    jobs_per_device: int | None = None  # at once; by default 1 on a CUDA device, one a core on the CPU
    memory_share: float | None = None  # of a CUDA device's memory, enforced by PyTorch's allocator
    threads_per_job: int | None = None  # by default the cores divided among the slots
    time_limit_s: float | None = None  # a job that takes longer is ended
    memory_limit_gb: float | None = None  # address space of a worker, in 2**30 bytes; not with CUDA
    grace_s: float = 5.0  # between SIGTERM and SIGKILL
    retry_alone: bool = True  # once, after CUDA ran out of memory
    show_output: bool = False  # jobs print to the terminal, not to job.log in their folder


def register(name: str, config: type) -> None:
    """Make `hydra/launcher=<name>` known."""
    ConfigStore.instance().store(name, config, group="hydra/launcher", provider="spectral")

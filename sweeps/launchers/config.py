"""Options of the launchers; each is a `hydra.launcher.<field>=...` of the command line."""

from dataclasses import dataclass, field
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


@dataclass
class RayConfig:
    """Warm Ray actors, one for each slot, on this machine or on a cluster. Needs the extra `ray`."""

    _target_: str = "hydra_plugins.spectral_ray_launcher.RayLauncher"
    address: str = "local"  # local starts Ray here and ends it; auto or ray://host:port use a cluster that runs
    cpus_per_job: float = 1.0
    gpus_per_job: float | None = None  # may be a fraction; by default 1 where the cluster has GPUs
    max_parallel: int | None = None  # slots; by default as many as the cluster's CPUs and GPUs hold when it starts
    time_limit_s: float | None = None
    grace_s: float = 5.0  # for a job that is stopped
    object_store_mb: int = 100  # of a local Ray
    show_output: bool = False  # jobs print to Ray's log and the terminal, not to job.log in their folder


@dataclass
class SlurmConfig:
    """One SLURM job for each job, through submitit. Needs the extra `slurm`."""

    _target_: str = "hydra_plugins.spectral_slurm_launcher.SlurmLauncher"
    executor: str = "slurm"  # slurm, or local: the same without a cluster, to try things out
    max_parallel: int = 64  # jobs in SLURM's hands at once
    timeout_min: int = 60  # what SLURM gives a job each time
    max_num_timeout: int = 3  # a job whose time is up is queued again so often, and goes on from its checkpoint
    signal_delay_s: int = 90  # before the end of its time a job is told to save
    time_limit_s: float | None = None  # in all, waiting for the cluster not counted
    grace_s: float = 5.0
    cpus_per_task: int = 1
    gpus_per_node: int | None = None
    mem_gb: float | None = None
    name: str = "spectral"  # of the SLURM jobs, followed by a mark of the sweep's controller
    folder: str = "${hydra.sweep.dir}/.submitit"  # scripts, logs and results of submitit
    partition: str | None = None
    additional: dict[str, Any] = field(default_factory=dict)  # of sbatch, as in +hydra.launcher.additional.qos=long
    poll_s: float = 1.0  # between two looks for a job's result
    look_s: int = 60  # between two looks at the queue, for jobs that died
    show_output: bool = False  # jobs print to submitit's log, not to job.log in their folder


def register(name: str, config: type) -> None:
    """Make `hydra/launcher=<name>` known."""
    ConfigStore.instance().store(name, config, group="hydra/launcher", provider="spectral")

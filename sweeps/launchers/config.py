"""Options of the launchers; each is a `hydra.launcher.<field>=...` of the command line."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

from sweeps.options import choice, number


@dataclass
class LocalConfig:
    """Warm worker processes on this machine, one for each slot."""

    _target_: str = "hydra_plugins.spectral_local_launcher.LocalLauncher"
    devices: Any = "auto"  # auto, cpu, or a list of CUDA devices by number or UUID
    jobs_per_device: int | None = number(None, at_least=1)  # at once; by default 1 on CUDA, one a core on the CPU
    memory_share: float | None = number(None, above=0, at_most=1)  # of a CUDA device's memory; PyTorch enforces it
    threads_per_job: int | None = number(None, at_least=1)  # by default the cores divided among the slots
    time_limit_s: float | None = number(None, above=0)  # a job that takes longer is ended
    memory_limit_gb: float | None = number(None, above=0)  # address space of a worker, in 2**30 bytes; not with CUDA
    grace_s: float = number(5.0, at_least=0)  # between SIGTERM and SIGKILL
    retry_alone: bool = True  # once, after CUDA ran out of memory
    show_output: bool = False  # jobs print to the terminal, not to job.log in their folder


@dataclass
class RayConfig:
    """Warm Ray actors, one for each slot, on this machine or on a cluster. Needs the extra `ray`."""

    _target_: str = "hydra_plugins.spectral_ray_launcher.RayLauncher"
    address: str = "local"  # local starts Ray here and ends it; auto or host:port join a cluster that runs
    cpus_per_job: float = number(1.0, at_least=0)
    gpus_per_job: float | None = number(None, at_least=0)  # may be a fraction; by default 1 if the cluster has GPUs
    max_parallel: int | None = number(None, at_least=1)  # slots; by default what the cluster holds at the start
    time_limit_s: float | None = number(None, above=0)
    object_store_mb: int = number(100, at_least=79)  # of a local Ray, which takes no less
    show_output: bool = False  # jobs print to Ray's log and the terminal, not to job.log in their folder


@dataclass
class SlurmConfig:
    """One SLURM job for each job, through submitit. Needs the extra `slurm`."""

    _target_: str = "hydra_plugins.spectral_slurm_launcher.SlurmLauncher"
    executor: str = choice("slurm", "slurm", "local")  # slurm, or local: the same without a cluster, to try things out
    max_parallel: int = number(64, at_least=1)  # jobs in SLURM's hands at once
    timeout_min: int = number(60, at_least=1)  # what SLURM gives a job each time
    max_num_timeout: int = number(3, at_least=0)  # so often a job whose time is up resumes from its checkpoint
    signal_delay_s: int = number(90, at_least=0)  # before the end of its time a job is reported to save
    time_limit_s: float | None = number(None, above=0)  # in all, waiting for the cluster not counted
    grace_s: float = number(5.0, at_least=0)
    cpus_per_task: int = number(1, at_least=1)
    gpus_per_node: int | None = number(None, at_least=0)
    mem_gb: float | None = number(None, above=0)
    name: str = "spectral"  # of the SLURM jobs, followed by a mark of the sweep's controller
    folder: str = "${hydra.sweep.dir}/.submitit"  # scripts, logs and results of submitit
    partition: str | None = None
    additional: dict[str, Any] = field(default_factory=dict)  # of sbatch, as in +hydra.launcher.additional.qos=long
    poll_s: float = number(1.0, above=0)  # between two looks for a job's result
    look_s: int = number(60, at_least=1)  # between two looks at the queue, for jobs that died
    show_output: bool = False  # jobs print to submitit's log, not to job.log in their folder


def register(name: str, config: type) -> None:
    """Make `hydra/launcher=<name>` known."""
    ConfigStore.instance().store(name, config, group="hydra/launcher", provider="spectral")

"""Options of the launchers; each is given as `hydra.launcher.<field>=...` on the command line."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

from sweeps.options import choice, number


@dataclass
class LocalConfig:
    """Warm worker processes on this machine, one for each slot."""

    _target_: str = "hydra_plugins.spectral_local_launcher.LocalLauncher"
    devices: Any = "auto"  # auto, cpu, or a list of CUDA devices by number or UUID
    jobs_per_device: int | None = number(None, at_least=1)  # at once; default: 1 on CUDA, 1 per core on the CPU
    memory_share: float | None = number(None, above=0, at_most=1)  # of a CUDA device's memory; PyTorch enforces it
    threads_per_job: int | None = number(None, at_least=1)  # by default the cores divided among the slots
    time_limit_s: float | None = number(None, above=0)  # a job that takes longer is ended
    load_timeout_s: float = number(600.0, above=0)  # a worker that takes longer to start, or to load the task, is ended
    memory_limit_gb: float | None = number(
        None, above=0
    )  # address space of a worker, in units of 2**30 bytes; not with CUDA
    grace_s: float = number(5.0, at_least=0)  # between SIGTERM and SIGKILL
    retry_alone: bool = True  # if CUDA runs out of memory, run the job once more with the device to itself
    show_output: bool = False  # jobs print to the terminal, not to job.log in their folder


@dataclass
class RayConfig:
    """Warm Ray actors, one for each slot, on this machine or on a cluster. Needs the extra `ray`."""

    _target_: str = "hydra_plugins.spectral_ray_launcher.RayLauncher"
    address: str = "local"  # local: start Ray here and end it; auto or host:port: join a running cluster
    cpus_per_job: float = number(1.0, at_least=0)  # what Ray reserves for a job
    gpus_per_job: float | None = number(None, at_least=0)  # may be a fraction; default: 1 if the cluster has GPUs
    max_parallel: int | None = number(
        None, at_least=1
    )  # slots; default: as many as the cluster has room for at the start
    time_limit_s: float | None = number(None, above=0)  # a job that takes longer is ended
    object_store_mb: int = number(100, at_least=79)  # of a local Ray, which needs at least 79
    show_output: bool = False  # jobs print to Ray's log and the terminal, not to job.log in their folder


@dataclass
class SlurmConfig:
    """One SLURM job per job of the sweep, through submitit. Needs the extra `slurm`."""

    _target_: str = "hydra_plugins.spectral_slurm_launcher.SlurmLauncher"
    executor: str = choice("slurm", "slurm", "local")  # slurm; local: the same without a cluster, to try it out
    max_parallel: int | None = number(None, at_least=1)  # jobs at once; default: 64, and 1 with executor=local
    timeout_min: int = number(60, at_least=1)  # time limit of SLURM for each start of a job
    max_num_timeout: int = number(3, at_least=0)  # how often a job resumes from its checkpoint after its time is up
    signal_delay_s: int = number(90, at_least=0)  # how long before the end of its time a job gets the signal to save
    time_limit_s: float | None = number(None, above=0)  # of a job in total, without waiting for the cluster
    grace_s: float = number(5.0, at_least=0)  # how long a cancelled job may take to end
    cpus_per_task: int = number(1, at_least=1)  # as in sbatch
    gpus_per_node: int | None = number(None, at_least=0)  # as in sbatch
    mem_gb: float | None = number(None, above=0)  # as in sbatch, in GB
    name: str = "spectral"  # of the SLURM jobs, followed by the id of the sweep's controller
    folder: str = "${hydra.sweep.dir}/.submitit"  # scripts, logs and results of submitit
    partition: str | None = None  # as in sbatch
    additional: dict[str, Any] = field(
        default_factory=dict
    )  # more options of sbatch, as in +hydra.launcher.additional.qos=long
    poll_s: float = number(1.0, above=0)  # between two checks for the result of a job
    look_s: int = number(60, at_least=1)  # between two checks of the queue, for jobs that died
    command_timeout_s: float = number(60.0, above=0)  # of squeue, scancel and sbatch
    show_output: bool = False  # jobs print to submitit's log, not to job.log in their folder


def register(name: str, config: type) -> None:
    """Register a config, so that `hydra/launcher=<name>` can be given."""
    ConfigStore.instance().store(name, config, group="hydra/launcher", provider="spectral")

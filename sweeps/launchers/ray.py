"""Jobs as methods of Ray actors: fractions of GPUs, many nodes."""

import contextlib
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from sweeps.errors import user_error, user_error_type
from sweeps.launchers import remote_job
from sweeps.launchers.config import RayConfig
from sweeps.launchers.contract import JobTimeout, StartFailed, WorkerLost
from sweeps.launchers.pool import Limits, SlotPool
from sweeps.launchers.pooled_launcher import PooledLauncher
from sweeps.launchers.ray_cluster import Shares, connect, num_slots
from sweeps.launchers.remote_job import RayWorker, RemoteJob, sent_by_value
from sweeps.launchers.reply import Reply
from sweeps.launchers.slots import Device, Slot, seen_by_jobs
from sweeps.launchers.worker_protocol import NoRoom
from sweeps.options import checked

# After this time a job that waits for room, on a cluster that shrank, goes to an actor that is free by then.
ROOM_S = 2.0


def load_ray() -> Any:
    """Import Ray, which only a controller that uses this launcher needs."""
    try:
        import ray.cloudpickle
    except ImportError as error:
        extra = "python -m pip install -e '.[ray]'"
        raise user_error(f"hydra/launcher=ray needs Ray ({error}): {extra}.") from error
    # For nodes that cannot import this package (yet): see remote_job.py.
    by_value: Any = ray.cloudpickle.register_pickle_by_value
    by_value(remote_job)
    return ray


class RayLauncher(PooledLauncher):
    """Runs jobs on Ray; its options are those of RayConfig."""

    def __init__(self, **options: Any) -> None:
        self._options = checked(RayConfig, options)
        gpus = self._options.gpus_per_job or 0
        if gpus > 1 and gpus % 1:
            raise user_error(
                f"hydra.launcher.gpus_per_job={gpus} is not allowed: a value above 1 must be a whole number."
            )
        load_ray()
        # A Ray task cannot ask for a device of its own while other actors use that device.
        self._limits = Limits(self._options.time_limit_s, retry_alone=False)
        self._started_ray = False

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Start Ray or join it. Jobs that cannot run there are reported before a study is made.

        Raises:
            UserError: there is no Ray at the address, or a job fits none of its nodes.
        """
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        ray = load_ray()
        self._started_ray = connect(ray, self._options)
        gpus = self._options.gpus_per_job
        if gpus is None:
            gpus = 1.0 if ray.cluster_resources().get("GPU") else 0.0
        if self._options.address == "local":
            self.devices = seen_by_jobs(num_cuda=math.ceil(gpus))
        self._shares = {"CPU": self._options.cpus_per_job, "GPU": gpus}
        try:
            self._num_slots = num_slots(ray, self._shares, self._options)
        except user_error_type():
            self.shutdown()
            raise

    @property
    def num_slots(self) -> int:
        return self._num_slots

    def make_pool(self) -> SlotPool:
        slots = [Slot(f"ray/{i}", Device(f"ray/{i}"), num_threads=1) for i in range(self.num_slots)]
        return SlotPool(slots, partial(_start, self._shares, self.task.pack(), self._options.show_output), self._limits)

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)
        if self._started_ray:
            load_ray().shutdown()
            self._started_ray = False


class RemoteWorker:
    """The controller's side of an actor."""

    def __init__(self, shares: Shares, packed_task: bytes, show_output: bool) -> None:
        self._ray = load_ray()
        self._packed_task, self._show_output = packed_task, show_output
        self._stopped: str | None = None
        self.place: str | None = None
        if not self._ray.is_initialized():  # otherwise Ray would start another cluster
            raise StartFailed("Ray was shut down")
        options = {"num_cpus": shares["CPU"], "num_gpus": shares["GPU"], "max_restarts": 0, "max_task_retries": 0}
        try:
            self._actor = self._ray.remote(**options)(RayWorker).remote()
            self._where = self._actor.where.remote()
        except (self._ray.exceptions.RayError, OSError, ValueError) as error:
            raise StartFailed(f"Ray could not start a worker: {_first_lines(error)}") from error

    @property
    def alive(self) -> bool:
        """Whether the actor is alive, as far as `run` has noticed; if it died, its job is lost and submitted again."""
        return True

    @property
    def has_room(self) -> bool:
        return self.place is not None

    has_begun = has_room

    def run(
        self, overrides: Sequence[str], job_num: int, time_limit_s: float | None = None, grace_s: float = 5
    ) -> Reply:
        """See worker_protocol.Worker."""
        if not self._ray.is_initialized():
            raise StartFailed("Ray was shut down")
        job = sent_by_value(RemoteJob(self._packed_task, overrides, job_num, self._show_output))
        try:
            self._await_room()
            packed = self._ray.get(self._actor.run.remote(job), timeout=time_limit_s)
        except self._ray.exceptions.GetTimeoutError:
            self.kill()
            raise JobTimeout(f"time limit of {time_limit_s:g} s reached") from None
        except self._ray.exceptions.RayTaskError:
            raise
        except (self._ray.exceptions.RayError, ValueError) as error:
            # ValueError: the connection to Ray itself is lost.
            lost = WorkerLost if self.has_begun or self._stopped else StartFailed
            raise lost(self._stopped or f"worker died: {_first_lines(error)}") from None
        return Reply.unpack(packed)

    def _await_room(self) -> None:
        """Wait until the cluster has placed the actor. The time limit of the job does not include this wait."""
        if self.place is None:
            if not self._ray.wait([self._where], timeout=ROOM_S)[0]:
                raise NoRoom
            self.place = self._ray.get(self._where)

    def interrupt(self, reason: str) -> None:
        """See worker_protocol.Worker. Ray has no gentler way to end a busy actor."""
        self._stopped = reason
        self.kill()

    def kill(self) -> None:
        """See worker_protocol.Worker."""
        # If Ray has been shut down, every call would start it again.
        with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
            if self._ray.is_initialized():
                self._ray.kill(self._actor)

    def end(self, grace_s: float) -> None:
        """See worker_protocol.Worker."""
        self.kill()


def _start(shares: Shares, packed_task: bytes, show_output: bool, slot: Slot, alone: bool) -> RemoteWorker:
    return RemoteWorker(shares, packed_task, show_output)


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__

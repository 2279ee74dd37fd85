"""Jobs as methods of Ray actors: fractions of GPUs, many nodes."""

import contextlib
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

from hydra.errors import HydraException

from sweeps.launchers import remote
from sweeps.launchers.contract import JobTimeout, WorkerLost
from sweeps.launchers.pool import Limits, SlotPool
from sweeps.launchers.pool_worker import NoRoom
from sweeps.launchers.pooled import PooledLauncher
from sweeps.launchers.remote import RayWorker, RemoteJob, sent_by_value
from sweeps.launchers.reply import Reply
from sweeps.launchers.slots import Device, Slot

# After which a job is left to an actor that has become free, on a cluster that shrank.
ROOM_S = 2.0


def load_ray() -> Any:
    """The library; a controller that uses other launchers does not need it."""
    try:
        import ray.cloudpickle
    except ImportError as error:
        raise HydraException("hydra/launcher=ray needs Ray: pip install 'spectral[ray]'") from error
    # For nodes that cannot import this package, or not yet: see remote.py.
    by_value: Any = ray.cloudpickle.register_pickle_by_value
    by_value(remote)
    return ray


class RayLauncher(PooledLauncher):
    """See RayConfig for the arguments."""

    def __init__(
        self,
        address: str = "local",
        cpus_per_job: float = 1.0,
        gpus_per_job: float | None = None,
        max_parallel: int | None = None,
        time_limit_s: float | None = None,
        grace_s: float = 5.0,
        object_store_mb: int = 100,
        show_output: bool = False,
    ) -> None:
        self._address, self._object_store_mb = address, object_store_mb
        self._cpus_per_job, self._gpus_per_job = cpus_per_job, gpus_per_job
        self._max_parallel, self._show_output = max_parallel, show_output
        # Alone on its device is nothing that a Ray task can ask for while other actors live there.
        self._limits = Limits(time_limit_s, grace_s, retry_alone=False)
        self._started_ray = False

    @cached_property
    def _shares(self) -> dict[str, float]:
        """What an actor asks for; Ray starts here, or is joined."""
        self._started_ray = _connect(self._address, self._object_store_mb, self._show_output)
        gpus = self._gpus_per_job
        if gpus is None:
            gpus = 1.0 if load_ray().cluster_resources().get("GPU") else 0.0
        return {"num_cpus": self._cpus_per_job, "num_gpus": gpus}

    @cached_property
    def num_slots(self) -> int:
        shares = self._shares
        if self._max_parallel is not None:
            return self._max_parallel
        there = load_ray().cluster_resources()
        wanted = {"CPU": shares["num_cpus"], "GPU": shares["num_gpus"]}
        # 1e-9: three jobs of a share of 1/3 fit.
        fits = [int(there.get(kind, 0) / share + 1e-9) for kind, share in wanted.items() if share]
        if not fits or min(fits) < 1:
            raise HydraException(
                f"hydra.launcher: no job fits into this Ray cluster, which has {there}, wanted: {wanted}"
            )
        return min(fits)

    def make_pool(self) -> SlotPool:
        slots = [Slot(f"ray/{i}", Device(f"ray/{i}"), num_threads=1) for i in range(self.num_slots)]
        return SlotPool(slots, partial(_start, self._shares, self.task.pack(), self._show_output), self._limits)

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)
        if self._started_ray:
            load_ray().shutdown()
            self._started_ray = False


class RemoteWorker:
    """The controller's side of an actor."""

    def __init__(self, shares: dict[str, float], packed_task: bytes, show_output: bool) -> None:
        self._ray = load_ray()
        actor = self._ray.remote(max_restarts=0, max_task_retries=0, **shares)(RayWorker)
        self._actor = actor.remote()
        self._where = self._actor.where.remote()
        self._packed_task, self._show_output = packed_task, show_output
        self._stopped: str | None = None
        self.place: str | None = None
        self.pid: int | None = None

    @property
    def alive(self) -> bool:
        """Told by its `run` alone: a dead actor's job is lost and submitted again."""
        return True

    @property
    def has_room(self) -> bool:
        return self.place is not None

    def run(
        self, overrides: Sequence[str], job_num: int, time_limit_s: float | None = None, grace_s: float = 5
    ) -> Reply:
        """As in pool_worker.Worker."""
        if not self._ray.is_initialized():
            raise WorkerLost("Ray was shut down")
        job = sent_by_value(RemoteJob(self._packed_task, overrides, job_num, self._show_output))
        try:
            self._await_room()
            packed = self._ray.get(self._actor.run.remote(job), timeout=time_limit_s)
        except self._ray.exceptions.GetTimeoutError:
            self.kill()
            raise JobTimeout(f"time limit of {time_limit_s:g} s reached") from None
        except self._ray.exceptions.RayTaskError:
            self.kill()
            raise
        except (self._ray.exceptions.RayError, ValueError) as error:
            # ValueError: the connection to Ray itself is gone.
            raise WorkerLost(self._stopped or f"worker died: {_first_lines(error)}") from None
        return Reply.unpack(packed)

    def _await_room(self) -> None:
        """Until the cluster has placed the actor, which the time limit of the job does not count."""
        if self.place is None:
            if not self._ray.wait([self._where], timeout=ROOM_S)[0]:
                raise NoRoom
            self.place, self.pid = self._ray.get(self._where)

    def interrupt(self, reason: str) -> None:
        """As in pool_worker.Worker. Ray knows no softer way to end a busy actor."""
        self._stopped = reason
        self.kill()

    def kill(self) -> None:
        """As in pool_worker.Worker."""
        # Every call would start Ray again where it has been shut down.
        with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
            if self._ray.is_initialized():
                self._ray.kill(self._actor)

    def end(self, grace_s: float) -> None:
        """As in pool_worker.Worker."""
        self.kill()


def _start(shares: dict[str, float], packed_task: bytes, show_output: bool, slot: Slot, alone: bool) -> RemoteWorker:
    return RemoteWorker(shares, packed_task, show_output)


def _connect(address: str, object_store_mb: int, show_output: bool) -> bool:
    """Start Ray or join it. True where it was started, by us."""
    ray = load_ray()
    if ray.is_initialized():
        return False
    options: dict[str, Any] = {"log_to_driver": show_output, "configure_logging": False}
    if address == "local":
        options |= {"object_store_memory": object_store_mb * 10**6, "include_dashboard": False}
    ray.init(address=address, **options)
    return True


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__

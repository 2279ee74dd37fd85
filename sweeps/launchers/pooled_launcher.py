"""The part that launchers have in common, wherever their workers run."""

import weakref
from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property

from hydra.core.utils import JobReturn

from sweeps.launchers.contract import StartFailed, StreamingLauncher
from sweeps.launchers.pool import SlotPool


class PooledLauncher(StreamingLauncher):
    """A streaming launcher over a pool of slots."""

    @abstractmethod
    def make_pool(self) -> SlotPool:
        """Make the pool. Called at the first job; the pool must not keep a reference to the launcher."""

    @cached_property
    def _pool(self) -> SlotPool:
        """The pool, made at the first job: until then no process and no thread is started."""
        pool = self.make_pool()
        # Called at the end of the launcher or of the interpreter, whichever comes first.
        weakref.finalize(self, pool.close, wait=False)
        return pool

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        try:
            pool = self._pool
        except (OSError, StartFailed) as error:
            lost = error if isinstance(error, StartFailed) else StartFailed(f"the launcher could not start: {error}")
            future: Future[JobReturn] = Future()
            future.set_exception(lost)
            return future
        return pool.submit(overrides, job_num)

    def slot_of(self, job_num: int) -> str | None:
        return self._pool.slot_of(job_num) if "_pool" in vars(self) else None

    def ran_s(self, job_num: int) -> float | None:
        return self._pool.ran_s(job_num) if "_pool" in vars(self) else None

    def shutdown(self, wait: bool = True) -> None:
        if "_pool" in vars(self):
            self._pool.close(wait)

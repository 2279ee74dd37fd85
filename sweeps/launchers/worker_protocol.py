"""The interface of a worker to its pool of slots."""

from collections.abc import Sequence
from typing import Protocol

from sweeps.launchers.reply import Reply


class NoRoom(Exception):  # noqa: N818  (not an error of the job)
    """The worker has no place to run yet. The job goes back to the queue, since another worker may be free first."""


class Worker(Protocol):
    """A process, here or elsewhere, that runs the jobs of a slot one after another."""

    @property
    def place(self) -> str | None:
        """Where the worker runs; None if the slot itself says so."""

    @property
    def alive(self) -> bool: ...

    @property
    def has_room(self) -> bool:
        """Whether it can begin a job at once. Workers that cannot are chosen last."""

    @property
    def has_begun(self) -> bool:
        """Whether its job has begun: it has a process, or a place in a cluster's queue."""

    def run(
        self, overrides: Sequence[str], job_num: int, time_limit_s: float | None = None, grace_s: float = 5
    ) -> Reply:
        """Run a job. After WorkerLost the worker has ended; after any other exception except NoRoom, end it.

        Raises:
            NoRoom: the job has not begun; ask the worker again.
            WorkerLost: the process ended before the job.
            StartFailed: no process could be started.
            JobTimeout: the worker was ended because the job took longer than its limit.
            Exception: the task could not be loaded.
        """

    def interrupt(self, reason: str) -> None:
        """Ask a busy worker to end, from another thread: its `run` raises WorkerLost with this reason."""

    def kill(self) -> None:
        """End the worker at once, from another thread."""

    def end(self, grace_s: float) -> None:
        """End an idle worker."""

"""What a pool of slots asks of a worker."""

from collections.abc import Sequence
from typing import Protocol

from sweeps.launchers.reply import Reply


class NoRoom(Exception):  # noqa: N818  (not an error of the job)
    """The worker has no place to run at yet: the job goes back to the queue, for another may be free first."""


class Worker(Protocol):
    """What runs the jobs of a slot, one after another: a process, here or elsewhere."""

    @property
    def place(self) -> str | None:
        """Where it is, if the slot does not tell."""

    @property
    def alive(self) -> bool: ...

    @property
    def has_room(self) -> bool:
        """Whether it can begin a job at once; it comes after those that can."""

    @property
    def has_begun(self) -> bool:
        """Whether the job that it was given has begun: there is a process for it, or a place in a queue."""

    def run(
        self, overrides: Sequence[str], job_num: int, time_limit_s: float | None = None, grace_s: float = 5
    ) -> Reply:
        """Run a job. After WorkerLost the worker has ended; after any other exception but NoRoom it is to be ended.

        Raises:
            NoRoom: the job was not begun; the worker is to be asked again.
            WorkerLost: the process ended before the job.
            StartFailed: there was no process to begin with.
            JobTimeout: it was ended because the job took longer than its limit.
            Exception: whatever kept the task from loading.
        """

    def interrupt(self, reason: str) -> None:
        """Ask a busy worker to end, from another thread: its `run` raises WorkerLost with this reason."""

    def kill(self) -> None:
        """End it at once, from another thread."""

    def end(self, grace_s: float) -> None:
        """End an idle worker."""

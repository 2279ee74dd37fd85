"""The slots of a launcher: a queue of jobs, and one thread per slot that keeps its worker busy."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from hydra.core.utils import JobReturn

from sweeps.launchers.contract import StartFailed, WorkerLost, settle
from sweeps.launchers.reply import Reply
from sweeps.launchers.slots import Slot
from sweeps.launchers.worker_protocol import NoRoom, Worker

SHUT_DOWN = "the launcher was shut down"


@dataclass(frozen=True)
class Limits:
    """Limits of each job."""

    time_limit_s: float | None = None
    grace_s: float = 5.0
    retry_alone: bool = True


@dataclass(eq=False)
class Job:
    overrides: Sequence[str]
    num: int
    future: "Future[JobReturn]" = field(default_factory=Future)
    alone: bool = False
    slot: Slot | None = None
    worker: Worker | None = None


@dataclass(eq=False)
class _DeviceState:
    num_running: int = 0
    exclusive: bool = False  # whether one job has the device to itself
    waiting: "deque[Job]" = field(default_factory=deque)  # jobs that wait to have the device to themselves

    @property
    def is_open(self) -> bool:
        return not self.exclusive and not self.waiting


class SlotPool:
    """Runs jobs in the order of their submission, each in the first slot that is free.

    Args:
        slots: where jobs run.
        start: starts a worker of a slot; its second argument says whether the worker has the device to itself. It may
            raise StartFailed.
        limits: of each job.
    """

    def __init__(self, slots: Sequence[Slot], start: Callable[[Slot, bool], Worker], limits: Limits) -> None:
        self._slots, self._start, self._limits = slots, start, limits
        self._changed = threading.Condition()
        self._queue: deque[Job] = deque()
        self._devices = {slot.device: _DeviceState() for slot in slots}
        self._workers: dict[Slot, Worker] = {}
        self._busy: set[Slot] = set()
        self._running: dict[int, Job] = {}
        self._ended: dict[int, str] = {}  # where jobs ran; their results are not kept
        self._ran_s: dict[int, float] = {}  # and how long, if their workers measured it
        self._draining = self._stopping = False
        self._threads: list[threading.Thread] = []
        try:
            for slot in slots:
                thread = threading.Thread(target=self._serve, args=(slot,), name=f"slot {slot.name}", daemon=True)
                thread.start()
                self._threads.append(thread)
        except RuntimeError as error:  # the system has no more threads
            self.close(wait=False)
            raise StartFailed(f"the launcher could not start: {error}") from error

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        job = Job(overrides, job_num)
        with self._changed:
            if self._draining:
                raise RuntimeError(SHUT_DOWN)
            self._ended.pop(job_num, None)  # of an earlier attempt
            self._ran_s.pop(job_num, None)
            self._queue.append(job)
            self._changed.notify_all()
        return job.future

    def slot_of(self, job_num: int) -> str | None:
        job = self._running.get(job_num)
        return _place(job) if job else self._ended.get(job_num)

    def ran_s(self, job_num: int) -> float | None:
        return self._ran_s.get(job_num)

    def close(self, wait: bool) -> None:
        """End all workers, after the jobs submitted so far or at once. May be called more than once."""
        with self._changed:
            self._draining = True
            if not wait:
                self._stop()
            self._changed.notify_all()
        deadline = None if wait else time.monotonic() + self._limits.grace_s
        for thread in self._threads:
            thread.join(None if deadline is None else max(0, deadline - time.monotonic()))
        # A worker that ignored SIGTERM is killed.
        for worker in list(self._workers.values()):
            worker.kill()
        for thread in self._threads:
            thread.join()

    def _stop(self) -> None:
        self._stopping = True
        for job in self._queue:
            if job.future.cancel():
                job.future.set_running_or_notify_cancel()  # wakes threads that wait for the future
            settle(job.future, error=WorkerLost(SHUT_DOWN))  # also a job that was put back into the queue
        self._queue.clear()
        for state in self._devices.values():
            for job in state.waiting:
                settle(job.future, error=WorkerLost(SHUT_DOWN))
            state.waiting.clear()
        for slot in self._busy & self._workers.keys():
            self._workers[slot].interrupt(SHUT_DOWN)

    def _serve(self, slot: Slot) -> None:
        """The main loop of a slot's thread."""
        while self._serve_one(slot):
            pass
        worker = self._workers.get(slot)
        if worker is not None:
            worker.end(self._limits.grace_s)
            self._workers.pop(slot)

    def _serve_one(self, slot: Slot) -> bool:
        """Run the slot's next job and keep no reference to it; False if there will be no more jobs."""
        job = self._take(slot)
        if job is None:
            return False
        try:
            reply = self._run(slot, job)
        except NoRoom:
            self._put_back(slot, job)
            return True
        except Exception as error:
            reply = Reply(error=error)
        if not self._release(slot, job, reply):
            settle(job.future, reply.job_return, reply.error)
        return True

    def _take(self, slot: Slot) -> Job | None:
        """Wait for the slot's next job; None if there will be no more jobs."""
        with self._changed:
            while True:
                job = self._next(slot)
                if job is not None:
                    state = self._devices[slot.device]
                    state.num_running += 1
                    state.exclusive = job.alone
                    self._busy.add(slot)
                    job.slot, job.worker = slot, None
                    self._running[job.num] = job
                    return job
                if self._draining and not self._queue and not self._unfinished(slot):
                    return None
                self._changed.wait()

    def _next(self, slot: Slot) -> Job | None:
        state = self._devices[slot.device]
        if state.waiting and not state.num_running:
            return state.waiting.popleft()
        while state.is_open and self._queue and self._is_first_choice(slot):
            job = self._queue.popleft()
            if job.future.running() or job.future.set_running_or_notify_cancel():
                return job
        return None

    def _is_first_choice(self, slot: Slot) -> bool:
        """Whether the slot should take a job now. A slot without a worker leaves it to an idle slot that has one."""
        if slot in self._workers and self._workers[slot].has_room:
            return True
        ready = [s for s, worker in self._workers.items() if worker.has_room]
        idle = [s for s in ready if s not in self._busy and self._devices[s.device].is_open]
        return len(self._queue) > len(idle)

    def _unfinished(self, slot: Slot) -> bool:
        """Whether a job that runs on the slot's device may still have to run again with the device to itself."""
        state = self._devices[slot.device]
        return not self._stopping and (bool(state.waiting) or state.num_running > 0)

    def _run(self, slot: Slot, job: Job) -> Reply:
        if job.alone:
            self._clear(slot)
        worker = self._worker(slot, job.alone)
        job.worker = worker
        try:
            reply = worker.run(job.overrides, job.num, self._limits.time_limit_s, self._limits.grace_s)
        except NoRoom:
            raise
        except WorkerLost as lost:
            self._replace(slot, at_once=not isinstance(lost, StartFailed))
            raise
        except Exception:
            # The error is raised again. The worker may still be alive, and must not outlive its slot.
            worker.end(self._limits.grace_s)
            self._replace(slot)
            raise
        if job.alone and reply.device_memory_ran_out and reply.job_return is not None:
            reply.job_return._return_value.add_note(f"The job had {slot.device.name} to itself.")
        if job.alone or reply.worn:
            worker.end(self._limits.grace_s)
            self._replace(slot)
        return reply

    def _worker(self, slot: Slot, alone: bool) -> Worker:
        with self._changed:
            worker = self._workers.get(slot)
            if worker is not None and worker.alive:
                return worker
            if self._stopping:
                raise WorkerLost(SHUT_DOWN)
            self._workers[slot] = fresh = self._start(slot, alone)
        if worker is not None:
            # The worker died between two jobs.
            worker.end(0)
        return fresh

    def _replace(self, slot: Slot, *, at_once: bool = False) -> None:
        """Forget a worker that has ended; start the next one now, or when a job needs it."""
        with self._changed:
            self._workers.pop(slot, None)
            if at_once and not self._draining:
                with suppress(StartFailed):  # the slot's next job will report it
                    self._workers[slot] = self._start(slot, False)

    def _clear(self, slot: Slot) -> None:
        """End the idle workers of the slot's device, since they hold memory of it too."""
        with self._changed:
            idle = [self._workers.pop(s) for s in self._slots if s.device == slot.device and s in self._workers]
        for worker in idle:
            worker.end(self._limits.grace_s)

    def _put_back(self, slot: Slot, job: Job) -> None:
        """Free the slot and put its job back at the front of the queue."""
        with self._changed:
            self._free(slot)
            self._running.pop(job.num, None)
            if self._stopping:
                settle(job.future, error=WorkerLost(SHUT_DOWN))
            else:
                self._queue.appendleft(job)
            self._changed.notify_all()

    def _free(self, slot: Slot) -> None:
        state = self._devices[slot.device]
        state.num_running -= 1
        state.exclusive = False
        self._busy.discard(slot)

    def _release(self, slot: Slot, job: Job, reply: Reply) -> bool:
        """Free the slot; returns True if the job will run again with the device to itself."""
        with self._changed:
            state = self._devices[slot.device]
            self._free(slot)
            if place := _place(job):
                self._ended[job.num] = place
            if reply.ran_s is not None:
                self._ran_s[job.num] = reply.ran_s
            self._running.pop(job.num, None)
            again = reply.device_memory_ran_out and self._limits.retry_alone and not job.alone and not self._stopping
            if again:
                job.alone = True
                state.waiting.append(job)
            self._changed.notify_all()
        return again


def _place(job: Job) -> str | None:
    """The slot and place of a job that has begun; None for a job that has not."""
    if job.slot is None or job.worker is None or not job.worker.has_begun:
        return None
    place = job.worker.place
    return f"{job.slot.name} on {place}" if place else job.slot.name

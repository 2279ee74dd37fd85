"""The controller's side of one worker process."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from socket import socketpair

from sweeps.errors import first_line
from sweeps.launchers.contract import JobTimeout, StartFailed, WorkerLost
from sweeps.launchers.reply import Reply
from sweeps.launchers.worker_main import Settings

# Set the path first: without it `sweeps` may not be found.
START = "import sys; sys.path[:] = {path!r}; from sweeps.launchers.worker_main import main; main({socket}, {lifeline})"
# A child of a job may hold the socket open after the worker has died, so that the worker's end is not noticed.
LOOK_S = 1.0


class _TimeIsUp(Exception):  # noqa: N818  (not an error)
    """The job, or the start of the worker, takes longer than its limit."""


class LocalWorker:
    """The process of a slot, in its own process group: Ctrl-C in the terminal reaches neither it nor its children."""

    has_room = True

    def __init__(
        self, environment: dict[str, str], settings: Settings, packed_task: bytes, load_timeout_s: float
    ) -> None:
        """Start the process. Returns before it has loaded the task.

        Args:
            load_timeout_s: how long the process may take to start, and then to load the task.

        Raises:
            StartFailed: the system has no process, memory or file for it.
        """
        try:
            with ExitStack() as undo:
                self._open(environment, settings.show_output, undo)
                undo.pop_all()
        except (OSError, MemoryError) as error:
            raise StartFailed(f"no worker process could be started: {first_line(error)}") from error
        self.has_begun = self._loaded = False
        self._stopped: str | None = None
        self._load_timeout_s = load_timeout_s
        self._greeting = (pickle.dumps(settings), packed_task)

    def _open(self, environment: dict[str, str], show_output: bool, undo: ExitStack) -> None:
        """Open the process, and its connections to this one."""
        ours, theirs = socketpair()
        self._connection = undo.enter_context(Connection(ours.detach()))
        with theirs:
            lifeline_end, self._lifeline = os.pipe()
            undo.callback(os.close, self._lifeline)
            try:
                # For output before the first job and between jobs; the output of a job goes to its folder.
                self._output = None if show_output else undo.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (undo closes it)
                start = START.format(path=sys.path, socket=theirs.fileno(), lifeline=lifeline_end)
                self.process = subprocess.Popen(
                    [sys.executable, "-c", start],
                    env={**os.environ, **environment},
                    pass_fds=(theirs.fileno(), lifeline_end),
                    process_group=0,
                    stdin=subprocess.DEVNULL,
                    stdout=self._output,
                    stderr=self._output,
                )
            finally:
                os.close(lifeline_end)

    @property
    def place(self) -> None:
        return None

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def run(
        self, overrides: Sequence[str], job_num: int, time_limit_s: float | None = None, grace_s: float = 5
    ) -> Reply:
        """See worker_protocol.Worker."""
        try:
            error = self._load()
            if error is None:
                self._connection.send_bytes(pickle.dumps((list(overrides), job_num)))
                packed = self._receive(time_limit_s)
        except _TimeIsUp:
            self.end(grace_s, at_once=True)
            if not self._loaded:
                raise (WorkerLost if self.has_begun else StartFailed)(self._loads_too_long()) from None
            raise JobTimeout(f"time limit of {time_limit_s:g} s reached") from None
        except (EOFError, OSError):
            self._ended_within(grace_s)  # it may be about to end by itself
            self._kill_group()
            self.process.wait()
            reason = self._reason()
            self._close()
            raise (WorkerLost if self.has_begun or self._stopped else StartFailed)(reason) from None
        if error is not None:
            raise error
        return Reply.unpack(packed)

    def _load(self) -> BaseException | None:
        """Let the worker load the task; returns the error if that failed."""
        if self._loaded:
            return None
        self._receive(self._load_timeout_s)  # the message that the worker has started
        self.has_begun = True
        for part in self._greeting:
            self._connection.send_bytes(part)
        reply = Reply.unpack(self._receive(self._load_timeout_s))
        self._loaded, self._greeting = True, (b"", b"")
        return reply.error

    def _receive(self, time_limit_s: float | None = None) -> bytes:
        deadline = None if time_limit_s is None else time.monotonic() + time_limit_s
        while not self._connection.poll(
            LOOK_S if deadline is None else max(0, min(LOOK_S, deadline - time.monotonic()))
        ):
            if not self.alive and not self._connection.poll(0):
                raise EOFError
            if deadline is not None and time.monotonic() >= deadline:
                raise _TimeIsUp
        return self._connection.recv_bytes()

    def interrupt(self, reason: str) -> None:
        """Ask a busy worker to end, from another thread: its `run` raises WorkerLost with this reason."""
        self._stopped = reason
        self.process.terminate()

    def kill(self) -> None:
        """End the process at once, from another thread."""
        self.process.kill()

    def end(self, grace_s: float, *, at_once: bool = False) -> None:
        """End the process and its children.

        An idle worker gets `grace_s` to end by itself. Then SIGTERM is sent, and SIGKILL after another `grace_s`.
        """
        self._connection.close()
        if at_once or not self._ended_within(grace_s):
            self.process.terminate()
            self._ended_within(grace_s)
        self._kill_group()
        self.process.wait()
        self._close()

    def _ended_within(self, seconds: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return not self.alive

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # PermissionError: of a zombie, on macOS
            os.killpg(self.process.pid, signal.SIGKILL)

    def _close(self) -> None:
        self._connection.close()
        os.close(self._lifeline)
        if self._output is not None:
            self._output.close()

    def _reason(self) -> str:
        if self._stopped:
            return self._stopped
        code = self.process.returncode
        how = f"killed by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        if code == -signal.SIGKILL:
            how += " (the system does so when memory runs out)"
        return f"worker {how}{'' if self._loaded else ' while it started' + self._last_words()}"

    def _loads_too_long(self) -> str:
        what = "load the task" if self.has_begun else "start"
        return f"worker did not {what} within {self._load_timeout_s:g} s (hydra.launcher.load_timeout_s)"

    def _last_words(self) -> str:
        if self._output is None:
            return ""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"

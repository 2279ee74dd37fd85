"""A worker process: it loads the task once, then runs one job after another.

It reads from its controller over a socket: first the Settings, then the packed task, then (overrides, job number) for
each job. It first sends a message that it has started, and answers the task and each job with a packed Reply. When the
socket closes, the worker ends.
"""

import faulthandler
import os
import pickle
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path

from sweeps.errors import user_error
from sweeps.launchers.reply import Reply
from sweeps.launchers.task import Task, job_folder

OUTPUT_FILE = "job.log"
WATCH_S = 1.0


@dataclass(frozen=True)
class Settings:
    """Settings of a worker, the same for all of its jobs."""

    argv: list[str]
    show_output: bool = False
    memory_limit_bytes: int | None = None


def main(channel: int, lifeline: int) -> None:
    """Run jobs until the controller closes the socket.

    Args:
        channel: file descriptor of the connection to the controller.
        lifeline: file descriptor of a pipe whose other end only the controller holds: it closes with the controller.
    """
    # Ignore Ctrl-C: the controller decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_controller(lifeline)
    faulthandler.enable()
    with Connection(channel) as connection, suppress(EOFError, ConnectionError):
        connection.send_bytes(b"here")
        settings: Settings = pickle.loads(connection.recv_bytes())
        sys.argv[:] = settings.argv
        _limit_memory(settings.memory_limit_bytes)
        task = _load(connection)
        folder = Path.cwd()
        while task is not None:
            overrides, job_num = pickle.loads(connection.recv_bytes())
            os.chdir(folder)
            connection.send_bytes(_run(task, overrides, job_num, settings.show_output).pack())


def _load(connection: Connection) -> Task | None:
    packed = connection.recv_bytes()
    try:
        task = Task.unpack(packed)
    except Exception as error:
        connection.send_bytes(Reply.of_error(error).pack())
        return None
    connection.send_bytes(Reply().pack())
    return task


def _run(task: Task, overrides: list[str], job_num: int, show_output: bool) -> Reply:
    from spectral.control_characters import make_output_printable

    make_output_printable()
    try:
        config = task.compose(overrides, job_num)
        if show_output:
            return Reply.of_return(task.run(config))
        with _output_to(job_folder(config) / OUTPUT_FILE):
            return Reply.of_return(task.run(config))
    except Exception as error:
        return Reply.of_error(error)


def run_packed(
    packed_task: bytes, overrides: list[str], job_num: int, folder: str, show_output: bool, ran_s: float = 0.0
) -> bytes:
    """Run a job in a process that may later run others of the same task; returns a packed Reply.

    Args:
        folder: paths are relative to it.
        ran_s: how long earlier starts of the job ran.
    """
    began_s = time.monotonic()
    reply = _run_in(Path(folder), packed_task, overrides, job_num, show_output)
    reply.ran_s = ran_s + time.monotonic() - began_s
    return reply.pack()


def _run_in(folder: Path, packed_task: bytes, overrides: list[str], job_num: int, show_output: bool) -> Reply:
    try:
        _enter(folder)
        task = _unpack_once(packed_task)
    except Exception as error:
        return Reply.of_error(error)
    return _run(task, overrides, job_num, show_output)


def _enter(folder: Path) -> None:
    """Enter a folder. Raises UserError if this machine lacks it: results written elsewhere would be lost."""
    try:
        os.chdir(folder)
    except OSError as error:
        found = f"{folder}, where the sweep was started, cannot be entered on {socket.gethostname()} ({error.strerror})"
        raise user_error(f"{found}: it must be the same folder on all nodes.") from error


@lru_cache(maxsize=1)
def _unpack_once(packed_task: bytes) -> Task:
    return Task.unpack(packed_task)


@contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Redirect the output of the process and its children to a file; an empty file is removed afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = [os.dup(1), os.dup(2)]
    with path.open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    for stream in (sys.stdout, sys.stderr):
        # Line buffering keeps the output before a crash.
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # TextIO lacks it, TextIOWrapper has it
    try:
        yield
    finally:
        for stream, number, kept in zip((sys.stdout, sys.stderr), (1, 2), terminal, strict=True):
            with suppress(OSError):  # a full disk
                stream.flush()
            os.dup2(kept, number)
            os.close(kept)
        with suppress(OSError):
            if path.stat().st_size == 0:
                path.unlink()


def _end_with_controller(lifeline: int) -> None:
    """Kill this process and its children soon after the controller has ended, even in the middle of a job."""
    controller = os.getppid()

    def watch() -> None:
        # Nothing is ever written to this pipe: it becomes readable when its other end closes.
        while os.getppid() == controller and not select.select([lifeline], [], [], WATCH_S)[0]:
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="controller-watch", daemon=True).start()


def _limit_memory(num_bytes: int | None) -> None:
    if num_bytes is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (num_bytes, num_bytes))

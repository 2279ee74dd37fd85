"""Locks of a study: one controller at a time claims trials, and one process at a time creates the tables."""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from sweeps.storage.retrying import call_until_it_answers
from sweeps.storage.urls import file_of

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from sqlalchemy import Connection, Engine

LOCK_WAIT_S = 5.0  # of one attempt to get the lock
LOCKS = Path("/proc/locks")  # the kernel's list
RANGE_LOCK = "hhqqi4x"  # struct flock of a 64-bit Linux


@contextmanager
def exclusive(storage: "BaseStorage", url: str, study_name: str, timeout_s: float) -> Iterator[Callable[[], bool]]:
    """Let one controller at a time decide what is run next: counting and claiming trials must be one step.

    The lock is a file alongside a storage that is a file, or an advisory lock of a PostgreSQL server. Other servers
    have no lock, so that two controllers may exceed the number of trials by one.

    Yields:
        A function that says whether the lock has been held until now: a restarted server forgets it.
    """
    if file := file_of(url):
        with _file_lock(_claim_lock(file), timeout_s):
            yield lambda: True
    elif _is_postgresql(url):
        with _advisory_lock(_engine_of(storage), study_name, timeout_s) as is_held:
            yield is_held
    else:
        yield lambda: True


def _engine_of(storage: "BaseStorage") -> "Engine":
    from sweeps.storage.retrying_storage import RetryingStorage

    assert isinstance(storage, RetryingStorage) and storage.engine is not None
    return storage.engine


def _claim_lock(file: Path) -> str:
    """The path of the lock file alongside a storage that is a file."""
    return f"{file}.claim.lock"


def _is_postgresql(url: str) -> bool:
    return url.startswith("postgresql")


@contextmanager
def _file_lock(path: str, timeout_s: float) -> Iterator[None]:
    lock = _lock_of(path)

    def acquire() -> None:
        check_there(Path(path))
        lock.acquire(timeout=LOCK_WAIT_S, poll_interval=0.005)

    call_until_it_answers(acquire, timeout_s)
    try:
        yield
    finally:
        lock.release()


def check_there(path: Path) -> None:
    """Raise FileNotFoundError if the folder of a file is gone.

    A lock would create the folder again, and block the real folder from coming back.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} is gone")


@cache
def _lock_of(path: str) -> FileLock:
    return FileLock(path, thread_local=False)


@contextmanager
def _advisory_lock(engine: "Engine", name: str, timeout_s: float) -> Iterator[Callable[[], bool]]:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    connection = call_until_it_answers(lambda: _locked_connection(engine, name), timeout_s)

    def is_held() -> bool:
        try:
            connection.execute(text("select 1"))
        except DBAPIError:
            return False
        return True

    try:
        yield is_held
    finally:
        # Closing the connection ends the lock; it does not go back into the pool.
        connection.invalidate()
        connection.close()


def _locked_connection(engine: "Engine", name: str) -> "Connection":
    """A connection that holds the lock with a name. Raises OperationalError if another process held it too long."""
    from sqlalchemy import text

    connection = engine.connect()
    try:
        connection.execute(text(f"set lock_timeout = {LOCK_WAIT_S * 1000:.0f}"))
        connection.execute(text("select pg_advisory_lock(hashtext(:name))"), {"name": name})
    except BaseException:
        connection.invalidate()
        connection.close()
        raise
    return connection


@contextmanager
def tables_lock(url: str, options: dict[str, Any], timeout_s: float) -> Iterator[None]:
    """Let one process at a time create the tables of an empty database: a second one would fail."""
    if not _is_postgresql(url):
        file = file_of(url)
        with _file_lock(_claim_lock(file), timeout_s) if file else nullcontext():
            yield
        return
    from sqlalchemy import create_engine

    engine = create_engine(url, **options)
    try:
        with _advisory_lock(engine, "tables", timeout_s):
            yield
    finally:
        engine.dispose()


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock of a file, as taken by filelock. The kernel releases it when its holder dies.

    The question takes no lock, since a job that begins at that moment would fail. The kernel's list has the holders on
    this machine (in a container: in the same one). A server of network files knows those on others, if it keeps locks.
    Only a system without the list is asked by taking a shared lock for an instant.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        try:
            listed = LOCKS.read_text().splitlines()
        except OSError:
            return not _can_share(file.fileno())
        return any(_is_of(line, status) for line in listed) or _is_kept_by_server(file.fileno())


def _is_of(line: str, status: os.stat_result) -> bool:
    """Whether a line of /proc/locks, `1: FLOCK ADVISORY WRITE <pid> <major>:<minor>:<inode> 0 EOF`, is of a file."""
    words = line.split()
    if words[1] != "FLOCK":  # waiting for a lock, or of another kind
        return False
    major, minor, inode = words[5].split(":")
    device = int(major, 16), int(minor, 16)
    # Some file systems, such as btrfs and overlays, show other numbers of a device in the list than elsewhere.
    is_there = device == (os.major(status.st_dev), os.minor(status.st_dev)) or device[0] == 0
    return int(inode) == status.st_ino and is_there


def _is_kept_by_server(file: int) -> bool:
    """Whether another machine holds the lock of a network file: there it is a lock of the whole range of bytes."""
    import fcntl

    asked = struct.pack(RANGE_LOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        answer: int = struct.unpack(RANGE_LOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))[0]
    except OSError:  # the server keeps no locks
        return False
    return answer != fcntl.F_UNLCK


def _can_share(file: int) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

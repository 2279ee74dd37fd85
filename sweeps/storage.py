"""Where studies are kept: opened by URL, waited for while locked or gone, and held by one controller at a time."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

log = logging.getLogger(__name__)

JOURNAL = "journal://"
LOCK_WAIT_S = 5.0
Result = TypeVar("Result")


def journal_url(folder: Path) -> str:
    return f"{JOURNAL}{(folder / 'study.journal').resolve()}"


@cache
def open_storage(url: str, timeout_s: float) -> "BaseStorage":
    """The storage of a URL, `journal:///file` or one of SQLAlchemy's; the same object for the same URL.

    Args:
        timeout_s: how long every call waits for a storage that is locked or gone, before it raises what it met.
    """
    if url.startswith(JOURNAL):
        from optuna.storages import JournalStorage

        from sweeps.journal import SafeJournal

        path = Path(url.removeprefix(JOURNAL))
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = SafeJournal(path, LOCK_WAIT_S)
        _make_patient(journal, ("read_logs", "append_logs"), timeout_s)
        return patiently(lambda: JournalStorage(journal), timeout_s)
    return patiently(lambda: _open_database(url, timeout_s), timeout_s)


def _open_database(url: str, timeout_s: float) -> "BaseStorage":
    from optuna.storages import BaseStorage, RDBStorage

    # A connection that a restarted server has dropped is opened anew.
    storage = RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    _make_patient(storage, sorted(BaseStorage.__abstractmethods__), timeout_s)
    return storage


def _make_patient(target: Any, methods: Any, timeout_s: float) -> None:
    for name in methods:
        setattr(target, name, _patient(getattr(target, name), timeout_s))


def _patient(method: Callable[..., Result], timeout_s: float) -> Callable[..., Result]:
    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        def once() -> Any:
            result = method(*arguments, **named)
            # A generator meets its errors only while it is read.
            return list(result) if isinstance(result, Iterator) else result

        return patiently(once, timeout_s)

    return call


def patiently(call: Callable[[], Result], timeout_s: float) -> Result:
    """Call, and again while the storage is locked or gone, for `timeout_s` at most; says once that it waits."""
    deadline, pause_s, told = time.monotonic() + timeout_s, 0.05, False
    while True:
        try:
            return call()
        except Exception as error:
            if not _passes(error) or time.monotonic() + pause_s > deadline:
                raise
            if not told:
                log.warning("The storage does not answer: waiting %g s for it (%s).", timeout_s, _first_line(error))
                told = True
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 1.0)


def _passes(error: BaseException | None) -> bool:
    """Whether an error may go away by waiting: of the file system, or of the connection to a database."""
    while error is not None:
        if isinstance(error, OSError) or type(error).__name__ in ("OperationalError", "InterfaceError"):
            return True
        error = error.__cause__
    return False


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


@contextmanager
def exclusive(storage: "BaseStorage", url: str, study_name: str, timeout_s: float) -> Iterator[None]:
    """Let one controller at a time decide what is run next: what is left is counted and claimed in one step.

    A lock file beside a storage that is a file, an advisory lock of a PostgreSQL server. Other servers have none, and
    two controllers may then overshoot the total by a trial.
    """
    if url.startswith(JOURNAL) or url.startswith("sqlite:///"):
        file = url.removeprefix(JOURNAL).removeprefix("sqlite:///")
        with _file_lock(f"{file}.claim.lock", timeout_s):
            yield
    elif url.startswith("postgresql"):
        with _advisory_lock(storage, study_name, timeout_s):
            yield
    else:
        yield


@contextmanager
def _file_lock(path: str, timeout_s: float) -> Iterator[None]:
    lock = _lock_of(path)

    def acquire() -> None:
        check_there(Path(path))
        lock.acquire(timeout=LOCK_WAIT_S, poll_interval=0.005)

    patiently(acquire, timeout_s)
    try:
        yield
    finally:
        lock.release()


def check_there(path: Path) -> None:
    """Raise where a file's folder is gone, for a lock would make it anew, in the way of the one that comes back."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} is gone")


@cache
def _lock_of(path: str) -> FileLock:
    return FileLock(path, thread_local=False)


@contextmanager
def _advisory_lock(storage: Any, study_name: str, timeout_s: float) -> Iterator[None]:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    def hold() -> Any:
        connection = storage.engine.connect()
        connection.execute(text("select pg_advisory_lock(hashtext(:name))"), {"name": study_name})
        return connection

    connection = patiently(hold, timeout_s)
    try:
        yield
    finally:
        # A server that was restarted meanwhile has forgotten the lock by itself.
        with suppress(DBAPIError):
            connection.execute(text("select pg_advisory_unlock(hashtext(:name))"), {"name": study_name})
        with suppress(DBAPIError):
            connection.close()

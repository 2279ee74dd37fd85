"""Where studies are kept: opened by URL, waited for while locked or gone, and held by one controller at a time."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from filelock import FileLock

from sweeps.database_url import DRIVER, with_driver
from sweeps.errors import user_error, user_error_type

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

JOURNAL = "journal://"
LOCK_WAIT_S = 5.0
# Optuna puts a cache before every database, and the cache calls these.
BEHIND_CACHE = ("_create_new_trial", "_get_trials", "_set_trial_param", "get_trial_id_from_study_id_trial_number")
CONNECT_WAIT_S = 10
# Set where the command is to end: nobody waits for a storage then.
in_haste = threading.Event()
Result = TypeVar("Result")


def journal_url(folder: Path) -> str:
    return f"{JOURNAL}{(folder / 'study.journal').resolve()}"


@cache
def open_storage(url: str, timeout_s: float) -> "BaseStorage":
    """The storage of a URL, `journal:///file` or one of SQLAlchemy's; the same object for the same URL.

    Args:
        timeout_s: how long every call waits for a storage that is locked or gone, before it raises UserError.
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


def close_storage(storage: "BaseStorage") -> None:
    """Close the connections to a database; they open again where they are needed."""
    engine = getattr(storage, "engine", None)
    if engine is not None:
        engine.dispose()


def open_storage_of_user(url: str, timeout_s: float) -> "BaseStorage":
    """The storage that a command names.

    Raises:
        UserError: it cannot be opened.
    """
    try:
        file = url.removeprefix("sqlite:///")
        if file != url:
            _check_folder(Path(file).resolve())
        return open_storage(url, timeout_s)
    except Exception as error:
        from sqlalchemy.exc import SQLAlchemyError

        shown = f"sweep.storage={url}"
        if isinstance(error, (SQLAlchemyError, OSError, ImportError)):
            cause = getattr(error, "orig", None) or error
            raise user_error(f"{shown} cannot be opened: {str(cause).splitlines()[0].rstrip('.')}.") from error
        raise


def _check_folder(path: Path) -> None:
    """A database waits for a folder that is gone; one that was never there is not worth waiting for."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} is not there")


def _open_database(url: str, timeout_s: float) -> "BaseStorage":
    from optuna.storages import BaseStorage, RDBStorage
    from sqlalchemy.exc import ProgrammingError

    driven = with_driver(url)
    # A connection that a restarted server has dropped is opened anew.
    options: dict[str, Any] = {"pool_pre_ping": True}
    if driven.startswith(DRIVER):
        # Without an encoding the text of an SQL_ASCII database comes as bytes.
        options["connect_args"] = {"client_encoding": "utf8", "connect_timeout": CONNECT_WAIT_S}
    try:
        with _tables_lock(driven, options, timeout_s):
            storage = RDBStorage(driven, engine_kwargs=options)
    except ProgrammingError as error:  # such as no right to make tables
        raise user_error(f"sweep.storage={url} cannot keep studies: {_first_line(error)}.") from error
    _make_patient(storage, [*BaseStorage.__abstractmethods__, *BEHIND_CACHE], timeout_s)
    return storage


@contextmanager
def _tables_lock(url: str, options: dict[str, Any], timeout_s: float) -> Iterator[None]:
    """Let one process at a time make the tables of an empty PostgreSQL database: a second one would fail."""
    if not _is_postgresql(url):
        yield
        return
    from sqlalchemy import create_engine

    engine = create_engine(url, **options)
    try:
        with _advisory_lock(engine, "tables", timeout_s):
            yield
    finally:
        engine.dispose()


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
    """Call, and again while the storage is locked, full or gone; says once that it waits.

    Raises:
        UserError: after `timeout_s` in vain, or once the command is to end.
    """
    deadline, pause_s, told = time.monotonic() + timeout_s, 0.05, False
    while True:
        try:
            return call()
        except Exception as error:
            if not _passes(error):
                raise
            if in_haste.is_set() or time.monotonic() + pause_s > deadline:
                how_long = "when the command was stopped" if in_haste.is_set() else f"for {timeout_s:g} s"
                raise user_error(
                    f"the storage of the study did not answer {how_long} ({_first_line(error)}): mend it and give the "
                    "same command again."
                ) from error
            if not told:
                log.warning("The storage does not answer: waiting %g s for it (%s).", timeout_s, _first_line(error))
                told = True
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 1.0)


def _passes(error: BaseException | None) -> bool:
    """Whether an error may go away by waiting: of the file system, or of the connection to a database."""
    if isinstance(error, user_error_type()):  # has been waited for
        return False
    while error is not None:
        if isinstance(error, OSError) or type(error).__name__ in ("OperationalError", "InterfaceError"):
            return True
        error = error.__cause__
    return False


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


@contextmanager
def exclusive(storage: "BaseStorage", url: str, study_name: str, timeout_s: float) -> Iterator[Callable[[], bool]]:
    """Let one controller at a time decide what is run next: what is left is counted and claimed in one step.

    A lock file beside a storage that is a file, an advisory lock of a PostgreSQL server. Other servers have none, and
    two controllers may then overshoot the total by a trial.

    Yields:
        Whether the lock has been held until now: a server that is restarted forgets it.
    """
    if url.startswith(JOURNAL) or url.startswith("sqlite:///"):
        file = url.removeprefix(JOURNAL).removeprefix("sqlite:///")
        with _file_lock(f"{file}.claim.lock", timeout_s):
            yield lambda: True
    elif _is_postgresql(url):
        with _advisory_lock(cast("RDBStorage", storage).engine, study_name, timeout_s) as is_held:
            yield is_held
    else:
        yield lambda: True


def _is_postgresql(url: str) -> bool:
    return url.startswith("postgresql")


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
def _advisory_lock(engine: "Engine", name: str, timeout_s: float) -> Iterator[Callable[[], bool]]:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    connection = patiently(lambda: _locked_connection(engine, name), timeout_s)

    def is_held() -> bool:
        try:
            connection.execute(text("select 1"))
        except DBAPIError:
            return False
        return True

    try:
        yield is_held
    finally:
        # The lock ends with its connection, which does not go back among those that are kept.
        connection.invalidate()
        connection.close()


def _locked_connection(engine: "Engine", name: str) -> "Connection":
    """A connection that holds the lock of that name; OperationalError where another held it too long."""
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

"""Open the storage of a study by its URL, and wait while it is locked or unavailable."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.errors import first_line, user_error
from sweeps.storage.locks import LOCK_WAIT_S, tables_lock
from sweeps.storage.retrying import call_until_it_answers
from sweeps.storage.urls import DRIVER, JOURNAL_SCHEME, KEY, file_of, with_driver

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

CONNECT_WAIT_S = 10


@cache
def open_storage(url: str, timeout_s: float) -> "BaseStorage":
    """The storage of a URL, `journal:///file` or one of SQLAlchemy's; the same object for the same URL.

    Args:
        timeout_s: how long every call waits for a storage that is locked or unavailable, before it raises UserError.
    """
    if url.startswith(JOURNAL_SCHEME):
        return _open_journal(Path(url.removeprefix(JOURNAL_SCHEME)), timeout_s)
    return call_until_it_answers(lambda: _open_database(url, timeout_s), timeout_s)


def close_storage(storage: "BaseStorage") -> None:
    """Close the connections to a database; they open again when they are needed."""
    engine = getattr(storage, "engine", None)
    if engine is not None:
        engine.dispose()


def open_storage_of_user(url: str, timeout_s: float, given_as: str = KEY) -> "BaseStorage":
    """The storage whose URL a user gave.

    Args:
        given_as: the key or option that gave it, for the error sentence: sweeps.storage.urls.KEY or OPTION.

    Raises:
        UserError: it cannot be opened.
    """
    try:
        if (file := file_of(url)) and not url.startswith(JOURNAL_SCHEME):
            _check_folder(file.resolve())
        return open_storage(url, timeout_s)
    except Exception as error:
        from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

        shown = f"{given_as}={url}"
        if isinstance(error, ProgrammingError):  # for example no permission to create tables
            raise user_error(f"{shown} cannot store studies: {first_line(error)}.") from error
        if isinstance(error, (SQLAlchemyError, OSError, ImportError)):
            cause = getattr(error, "orig", None) or error
            raise user_error(f"{shown} cannot be opened: {str(cause).splitlines()[0].rstrip('.')}.") from error
        raise


def _check_folder(path: Path) -> None:
    """Raise FileNotFoundError if a new database's folder does not exist: calls would wait for it in vain."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist")


def _open_journal(path: Path, timeout_s: float) -> "BaseStorage":
    from optuna.storages import JournalStorage

    from sweeps.storage.journal import SafeJournal
    from sweeps.storage.retrying_storage import RetryingJournal

    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(RetryingJournal(SafeJournal(path, LOCK_WAIT_S), timeout_s))


def _open_database(url: str, timeout_s: float) -> "BaseStorage":
    from optuna.storages import RDBStorage, get_storage

    from sweeps.storage.retrying_storage import RetryingStorage

    driven = with_driver(url)
    # pool_pre_ping: a connection that was lost when the server restarted is opened again.
    options: dict[str, Any] = {"pool_pre_ping": True}
    if driven.startswith(DRIVER):
        # Without an encoding, text from an SQL_ASCII database comes as bytes.
        options["connect_args"] = {"client_encoding": "utf8", "connect_timeout": CONNECT_WAIT_S}
    with tables_lock(driven, options, timeout_s):
        database = RDBStorage(driven, engine_kwargs=options)
    # Optuna adds its cache to a database, but not to a storage that wraps one, so it is added here.
    return RetryingStorage(get_storage(database), timeout_s, database.engine)

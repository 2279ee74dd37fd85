"""The URL of a storage that keeps studies: refused if it cannot serve, before anything starts."""

from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.errors import user_error
from sweeps.outputs import JOURNAL_FILE

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

JOURNAL_SCHEME = "journal://"
SQLITE = "sqlite"
ALLOWED = "allowed is postgresql://user@host/database, sqlite:///FILE, journal:///FILE"
# Of a sweep's key, and of the option of the other commands.
KEY, OPTION = "sweep.storage", "--storage"
OR_NONE = {KEY: "or null for a journal file", OPTION: "or none for a study in its own folder"}
POSTGRESQL, DRIVER = "postgresql://", "postgresql+psycopg://"


def check_storage_url(url: str, given_as: str = KEY) -> None:
    """Raise UserError if no storage has such a URL: of a journal file, or of a database (check_database_url).

    Args:
        given_as: KEY or OPTION, which the sentence names.
    """
    if not url.startswith(JOURNAL_SCHEME):
        check_database_url(url, given_as)
    if (file := file_of(url)) and (not file.name or file.is_dir()):
        raise user_error(f"{given_as}={url} names no file: {_allowed(given_as)}.")


def check_database_url(url: str, given_as: str = KEY) -> None:
    """Raise UserError if no database has such a URL, its driver is missing, or a password stands in it.

    The URL goes into the environment of jobs, files of clusters and sweep.json: a password has no place there.
    The sentence does not repeat what may hold one.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(with_driver(url))
        if parts.password is not None or "password" in parts.query:
            raise user_error(
                f"{given_as} holds a password, which would be kept in files: leave it out, and put it into "
                "~/.pgpass or the environment variable PGPASSWORD."
            )
        parts.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):  # a kind of database that is not known; a port that is no number
        raise user_error(f"{given_as} is no URL of a database: {_allowed(given_as)}.") from None
    except ImportError as error:
        extra = "python -m pip install -e '.[postgresql]'"
        how = extra if with_driver(url).startswith(DRIVER) else "install its driver"
        raise user_error(f"{given_as}={url} cannot be opened ({error}): {how}.") from None
    if _is_in_memory(parts):
        raise user_error(f"{given_as}={url} is kept in memory, which ends with the command: {_allowed(given_as)}.")


def _allowed(given_as: str) -> str:
    return f"{ALLOWED}, {OR_NONE[given_as]}"


def _is_in_memory(parts: "URL") -> bool:
    """Of SQLite: a database without a file, which the jobs would not find either."""
    name = parts.database or ":memory:"
    return parts.get_backend_name() == SQLITE and (":memory:" in name or parts.query.get("mode") == "memory")


def with_driver(url: str) -> str:
    """The same URL for SQLAlchemy, whose own choice for PostgreSQL is an older driver."""
    return url.replace(POSTGRESQL, DRIVER, 1) if url.startswith(POSTGRESQL) else url


def journal_url(folder: Path) -> str:
    """The URL of the journal file in a study's folder."""
    return f"{JOURNAL_SCHEME}{(folder / JOURNAL_FILE).resolve()}"


def file_of(url: str) -> Path | None:
    """The file that a storage is: a journal, or a database of SQLite by any driver; None for a server.

    Args:
        url: that `check_storage_url` lets pass.
    """
    if url.startswith(JOURNAL_SCHEME):
        return Path(url.removeprefix(JOURNAL_SCHEME))
    if not url.startswith(SQLITE):
        return None
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    return Path(parts.database) if parts.get_backend_name() == SQLITE and parts.database else None

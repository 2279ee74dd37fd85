"""URLs of storages of studies: a URL that cannot be used is refused before anything starts."""

from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.errors import user_error
from sweeps.outputs import JOURNAL_FILE

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

JOURNAL_SCHEME = "journal://"
SQLITE = "sqlite"
ALLOWED = "allowed is postgresql://user@host/database, sqlite:///FILE, journal:///FILE"
# The key of a sweep, and the option of the other commands, that give a URL.
KEY, OPTION = "sweep.storage", "--storage"
OR_NONE = {KEY: "or null for a journal file", OPTION: "or none for a study in its own folder"}
POSTGRESQL, DRIVER = "postgresql://", "postgresql+psycopg://"


def check_storage_url(url: str, given_as: str = KEY) -> None:
    """Raise UserError unless this is the URL of a journal file or of a database (see check_database_url).

    Args:
        given_as: KEY or OPTION, for the error sentence.
    """
    if not url.startswith(JOURNAL_SCHEME):
        check_database_url(url, given_as)
    if (file := file_of(url)) and (not file.name or file.is_dir()):
        raise user_error(f"{given_as}={url} names no file: {_allowed(given_as)}.")


def check_database_url(url: str, given_as: str = KEY) -> None:
    """Raise UserError if this is not the URL of a database, its driver is missing, or it holds a password.

    A password is refused because the URL is written into the environment of jobs, files of clusters and sweep.json.
    The error sentence does not repeat a URL that may hold a password.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(with_driver(url))
        if parts.password is not None or "password" in parts.query:
            raise user_error(
                f"{given_as} holds a password, which would be written into files: leave it out, and put it into "
                "~/.pgpass or the environment variable PGPASSWORD."
            )
        parts.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):  # an unknown kind of database, or a port that is not a number
        raise user_error(f"{given_as} is not the URL of a database: {_allowed(given_as)}.") from None
    except ImportError as error:
        extra = "python -m pip install -e '.[postgresql]'"
        how = extra if with_driver(url).startswith(DRIVER) else "install its driver"
        raise user_error(f"{given_as}={url} cannot be opened ({error}): {how}.") from None
    if _is_in_memory(parts):
        raise user_error(f"{given_as}={url} is kept in memory, which ends with the command: {_allowed(given_as)}.")


def _allowed(given_as: str) -> str:
    return f"{ALLOWED}, {OR_NONE[given_as]}"


def _is_in_memory(parts: "URL") -> bool:
    """Whether this is an SQLite database without a file, which jobs could not find."""
    name = parts.database or ":memory:"
    return parts.get_backend_name() == SQLITE and (":memory:" in name or parts.query.get("mode") == "memory")


def with_driver(url: str) -> str:
    """The same URL with our driver for PostgreSQL; SQLAlchemy's default is an older one."""
    return url.replace(POSTGRESQL, DRIVER, 1) if url.startswith(POSTGRESQL) else url


def journal_url(folder: Path) -> str:
    """The URL of the journal file in a study's folder."""
    return f"{JOURNAL_SCHEME}{(folder / JOURNAL_FILE).resolve()}"


def absolute_url(url: str) -> str:
    """The same storage by the whole path of its file: the process of a job may be in another folder.

    The same URL if that path has a question mark, which ends the path in a database's URL.
    """
    file = file_of(url)
    if file is None or file.is_absolute():
        return url
    if url.startswith(JOURNAL_SCHEME):
        return f"{JOURNAL_SCHEME}{file.absolute()}"
    from sqlalchemy.engine import make_url

    whole = str(file.absolute())
    return url if "?" in whole else make_url(url).set(database=whole).render_as_string()


def file_of(url: str) -> Path | None:
    """The file of a storage: a journal, or an SQLite database with any driver; None for a server.

    Args:
        url: accepted by `check_storage_url`.
    """
    if url.startswith(JOURNAL_SCHEME):
        return Path(url.removeprefix(JOURNAL_SCHEME))
    if not url.startswith(SQLITE):
        return None
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    return Path(parts.database) if parts.get_backend_name() == SQLITE and parts.database else None

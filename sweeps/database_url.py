"""The URL of a database that keeps studies: refused where it cannot serve, before anything starts."""

from sweeps.errors import user_error

ALLOWED = "allowed is postgresql://user@host/database, sqlite:///FILE, or null for a journal file"
POSTGRESQL, DRIVER = "postgresql://", "postgresql+psycopg://"


def check_database_url(url: str) -> None:
    """Raise UserError where no database has such a URL, its driver is missing, or a password stands in it.

    The URL goes into the environment of jobs, files of clusters and sweep.json: a password has no place there.
    The sentence does not repeat what may hold one.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(with_driver(url))
        if parts.password is not None or "password" in parts.query:
            raise user_error(
                "sweep.storage holds a password, which would be kept in files: leave it out, and put it into "
                "~/.pgpass or the environment variable PGPASSWORD."
            )
        parts.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):  # a kind of database that is not known; a port that is no number
        raise user_error(f"sweep.storage is no URL of a database: {ALLOWED}.") from None
    except ImportError as error:
        how = "pip install 'spectral[postgresql]'" if with_driver(url).startswith(DRIVER) else "install its driver"
        raise user_error(f"sweep.storage={url} cannot be opened ({error}): {how}.") from None


def with_driver(url: str) -> str:
    """The same URL for SQLAlchemy, whose own choice for PostgreSQL is an older driver."""
    return url.replace(POSTGRESQL, DRIVER, 1) if url.startswith(POSTGRESQL) else url

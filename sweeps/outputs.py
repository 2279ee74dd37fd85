"""Where studies are kept: folders of studies, and the URLs of storages that are a file."""

from pathlib import Path

OUTPUTS = Path("outputs")
SWEEPS = OUTPUTS / "sweeps"
JOURNAL_FILE = "study.journal"
SUMMARY_FILE = "sweep.json"
JOURNAL_SCHEME = "journal://"
SQLITE = "sqlite"


def places_in(folder: Path) -> list[Path]:
    """Where studies and runs have folders of their own: in a folder, in its `sweeps` and in its `runs`."""
    return [folder, folder / "sweeps", folder / "runs"]


def named(name: str) -> list[Path]:
    """Where a name that `python -m sweeps.ls` shows may be: it is a path itself, or one below outputs."""
    return [Path(name), SWEEPS / name, *(place / name for place in places_in(OUTPUTS))]


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

"""Where the study of a folder is kept: in the folder's journal, or in the storage that its sweep.json names."""

from pathlib import Path

from sweeps.files import load_json
from sweeps.places import JOURNAL_FILE, JOURNAL_SCHEME, SUMMARY_FILE, file_of, journal_url


def study_kept(folder: Path) -> tuple[str, str] | None:
    """The name of a folder's study and the URL of its storage; None where there is no such study, or it cannot be told.

    The folder's own journal goes before what its last command noted.
    """
    if (folder / JOURNAL_FILE).is_file():
        return folder.resolve().name, journal_url(folder)
    noted = study_noted(folder)
    if noted is None:
        return None
    url = noted[1]
    # A journal that is gone, such as the folder's own: its runs are left.
    is_gone = url.startswith(JOURNAL_SCHEME) and not (file_of(url) or folder).is_file()
    return None if is_gone else noted


def study_noted(folder: Path) -> tuple[str, str] | None:
    """The same, as the last command noted it; None where none has, or its note cannot be read."""
    try:
        told = load_json(folder / SUMMARY_FILE)
    except (OSError, ValueError):
        return None
    name, url = told.get("study"), told.get("storage")
    return (name, url) if isinstance(name, str) and isinstance(url, str) else None

"""The files and folders that a user names."""

from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from spectral.errors import UserError

MOST_NEIGHBOURS = 10_000  # names compared in search of the one that was meant


def existing_file(path: str, key: str) -> Path:
    """Raises UserError, with the nearest name next to it, if `path` is no file; `key` is its config option."""
    if not path:
        raise UserError(f"{key} is not set: it needs the path of a file.")
    if not Path(path).is_file():
        raise UserError(f"{key}={path} is not a file{_meant(Path(path))}")
    return Path(path)


def existing_folder(path: str, key: str) -> Path:
    """Raises UserError, with the nearest name next to it, if `path` is no folder; `key` is its config option."""
    if not path:
        raise UserError(f"{key} is not set: it needs the path of a folder.")
    if not Path(path).is_dir():
        raise UserError(f"{key}={path} is not a folder{_meant(Path(path))}")
    return Path(path)


def _meant(path: Path) -> str:
    """The end of the sentence."""
    if not path.parent.is_dir():
        return f": there is no folder {path.parent}."
    beside = [neighbour.name for neighbour in islice(path.parent.iterdir(), MOST_NEIGHBOURS)]
    close = get_close_matches(path.name, beside, n=1, cutoff=0.5)
    return f": did you mean '{path.parent / close[0]}'?" if close else "."

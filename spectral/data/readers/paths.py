"""The files and folders that a user names."""

from collections.abc import Callable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from spectral.errors import UserError

MOST_NEIGHBOURS = 10_000  # names compared in search of the one that was meant
LONGEST_SHOWN = 80  # characters of a path that is too long


FITS = (".fits", ".fit", ".fts", ".fz", ".fits.gz", ".fit.gz")


def existing_file(path: str, key: str) -> Path:
    """Raises UserError, with the nearest name next to it, if `path` is no file; `key` is its config option."""
    if not path:
        raise UserError(f"{key} is not set: it needs the path of a file.")
    if not _is_there(Path(path), Path.is_file, key):
        raise UserError(f"{key}={path} is not a file{_meant(Path(path))}")
    return Path(path)


def existing_folder(path: str, key: str) -> Path:
    """Raises UserError, with the nearest name next to it, if `path` is no folder; `key` is its config option."""
    if not path:
        raise UserError(f"{key} is not set: it needs the path of a folder.")
    if not _is_there(Path(path), Path.is_dir, key):
        raise UserError(f"{key}={path} is not a folder{_meant(Path(path))}")
    return Path(path)


def refuse_fits_folder(path: str, key: str) -> None:
    """Raises UserError, which names the readers for it, if `path` is a folder that holds FITS files."""
    if not path or not _is_there(Path(path), Path.is_dir, key):
        return
    names = (entry.name for entry in islice(Path(path).iterdir(), MOST_NEIGHBOURS))
    found = next((name for name in names if name.lower().endswith(FITS)), None)
    if found is not None:
        raise UserError(
            f"{key}={path} holds FITS files ({found}): data=lamost, data=sdss or data=desi with data.folder reads "
            "surveys as released, and data=fits_table with data.path one file with a row for each spectrum."
        )


def _is_there(path: Path, check: Callable[[Path], bool], key: str) -> bool:
    """Raises UserError if the system cannot even look: a name is too long, or a folder is closed."""
    try:
        return check(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{key}={_short(str(path))} cannot be looked up: {reason}.") from error


def _short(path: str) -> str:
    return path if len(path) <= LONGEST_SHOWN else path[:LONGEST_SHOWN] + "..."


def _meant(path: Path) -> str:
    """The end of the sentence."""
    if not path.parent.is_dir():
        return f": there is no folder {path.parent}."
    neighbours = islice(path.parent.iterdir(), MOST_NEIGHBOURS)
    names = [neighbour.name for neighbour in neighbours if neighbour.name != path.name]  # it is there, of another kind
    close = get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f": did you mean '{path.parent / close[0]}'?" if close else "."

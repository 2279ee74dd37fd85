"""Splits saved in a pack: for each a table of id and part, and the same as JSON lists for people and programs."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from spectral.errors import NOT_ALLOWED, UserError
from spectral.files import remove_left_parts, write_json, write_parquet

log = logging.getLogger(__name__)

Parts = pd.Series  # part of each spectrum, by id


def splits_folder(pack: Path) -> Path:
    return pack / "splits"


@contextmanager
def locked_splits(pack: Path) -> Iterator[None]:
    """Let one process at a time change the splits of a pack, or move them."""
    splits_folder(pack).mkdir(exist_ok=True)
    with FileLock(splits_folder(pack) / ".lock"):
        remove_left_parts(splits_folder(pack))
        yield


def nothing_saved() -> Parts:
    return pd.Series([], index=pd.Index([], name="id", dtype="str"), name="part", dtype="str")


def completed(pack: Path, name: str, options: Mapping[str, Any], complete: Callable[[Parts], Parts]) -> Parts:
    """A saved split (at first an empty one) as `complete` adds to it, saved again where it did.

    Args:
        name: of the split's files.
        options: those that it was made with, written next to the lists.
    """
    table = splits_folder(pack) / f"{name}.parquet"
    try:
        with locked_splits(pack):
            saved = _load(table)
            parts = complete(saved)
            if len(parts) > len(saved):
                _save(table, parts, options)
            return parts
    except OSError as error:
        if error.errno not in NOT_ALLOWED:
            raise
        log.warning("%s is read-only: its split is made again each time, the same for the same spectra.", pack)
        return complete(_load(table))


def _load(table: Path) -> Parts:
    """Raises UserError for a file that is no saved split."""
    if not table.exists():
        return nothing_saved()
    try:
        parts: Parts = pd.read_parquet(table).set_index("id")["part"]
    except PermissionError:
        raise
    except Exception as error:  # Arrow has many, and whatever it is, the file cannot be read
        raise _damaged(table) from error
    are_text = all(isinstance(value, str) for values in (parts, parts.index) for value in values)
    if not are_text or not parts.index.is_unique:
        raise _damaged(table)
    return parts


def _damaged(table: Path) -> UserError:
    return UserError(f"{table} is no saved split: delete it, and the split is made again.")


def _save(table: Path, parts: Parts, options: Mapping[str, Any]) -> None:
    """The table last: it is the one that is read again."""
    lists = {str(part): members.index.tolist() for part, members in parts.groupby(parts)}
    write_json(table.with_suffix(".json"), {"options": dict(options), **lists})
    write_parquet(table, parts.rename("part").rename_axis("id").reset_index())

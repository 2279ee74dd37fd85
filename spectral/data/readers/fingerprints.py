"""Digests of source files, cheap enough to take at every start."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

SMALL_BYTES = 16 * 2**20  # a file up to this size is digested by its content


def file_stamp(path: str | Path) -> str:
    """The content of a small file, or the size and modification time of a large one, in a word."""
    status = Path(path).stat()
    if status.st_size <= SMALL_BYTES:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    return f"{status.st_size}-{status.st_mtime_ns}"


def folder_stamp(folder: str | Path, suffix: str) -> str:
    """Names, sizes and modification times of a folder's files with a suffix."""
    with os.scandir(folder) as entries:
        # One line per file: their statuses would take several times the memory in a folder of a large survey.
        stamps = [_entry_stamp(entry) for entry in entries if entry.name.endswith(suffix)]
    return join_stamps(sorted(stamps))


def _entry_stamp(entry: os.DirEntry[str]) -> str:
    try:
        status = entry.stat()
    except OSError:  # a link to nothing, or gone since it was listed; reading it says so
        return f"{entry.name}/"
    return f"{entry.name}/{status.st_size}/{status.st_mtime_ns}"


def join_stamps(stamps: Iterable[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for stamp in stamps:
        digest.update(stamp.encode("utf-8", "surrogateescape") + b"\n")  # names of files may be any bytes
    return digest.hexdigest()

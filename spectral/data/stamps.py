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
        files = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(suffix)]
    return join_stamps(f"{name}/{status.st_size}/{status.st_mtime_ns}" for name, status in sorted(files))


def join_stamps(stamps: Iterable[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for stamp in stamps:
        digest.update(stamp.encode() + b"\n")
    return digest.hexdigest()

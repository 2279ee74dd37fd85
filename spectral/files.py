"""Files that appear whole or not at all: whoever reads one never sees half of it."""

import errno
import glob
import hashlib
import io
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from boltons.fileutils import atomic_save

from spectral.errors import UserError
from spectral.processes import is_running, machine

if TYPE_CHECKING:
    import pandas as pd

_NO_SPACE = {
    errno.ENOSPC: "the disk is full",
    errno.EFBIG: "the limit on file size is reached",
    errno.EDQUOT: "the disk quota is used up",
}
# Of the machine, of the process, of the thread. Version 0.1 left out the machine.
PART = re.compile(r"\..+?(?:\.(?P<machine>[0-9a-f]{8}))?\.(?P<pid>\d+)\.\d+\.part")


@contextmanager
def space_errors(path: Path | str, advice: str = "make room") -> Iterator[None]:
    """Turn a full disk, met while writing `path`, into a UserError, which says what to do; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        cause = _NO_SPACE[error.errno]
        raise UserError(f"{path} could not be written: {cause}; {advice} and give the same command again.") from error


@contextmanager
def writing(path: Path | str) -> Iterator[BinaryIO]:
    """A binary file that takes its place at `path`, replacing what is there, when the block ends without an error.

    Raises:
        UserError: the disk is full, or there is a folder at `path`.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} could not be written: it is a folder; move it away and give the same command again.")
    with space_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            yield file


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """As `writing`, in a folder that is there, and errors pass as they are.

    Raises:
        OSError: the file cannot be written.
    """
    # Unbuffered below and a buffer of our own above: the library leaves its part file behind where the last flush of
    # a buffer fails.
    with atomic_save(str(path), part_file=part_name(path), overwrite_part=True, buffering=0) as raw:
        file = io.BufferedWriter(raw)
        yield file
        file.flush()


def part_name(path: Path) -> str:
    """The name of the part file that this thread writes before it takes the place of `path`.

    One name per writer: the library's default is shared by all writers of a file, who would overwrite each other's.
    """
    return f".{path.name}.{_machine_mark()}.{os.getpid()}.{threading.get_ident()}.part"


def remove_left_parts(folder: Path, elsewhere_after_s: float = 3600.0, name: str = "") -> None:
    """Remove the part files in a folder whose writers were killed.

    Args:
        elsewhere_after_s: after this time without a change a part file of another machine is taken for left.
        name: how the files are named that they are parts of, or how their names begin.
    """
    for path in folder.glob(f".{glob.escape(name)}*.part"):
        # Another process may remove or finish it at this moment, and nobody needs it removed.
        with suppress(OSError):
            if _is_left(path, elsewhere_after_s):
                path.unlink()


def _is_left(path: Path, elsewhere_after_s: float) -> bool:
    found = PART.fullmatch(path.name)
    if found and is_running(int(found["pid"])) and found["machine"] in (None, _machine_mark()):
        return False
    if found and found["machine"] == _machine_mark():
        return True
    return time.time() - path.stat().st_mtime > elsewhere_after_s


def _machine_mark() -> str:
    return hashlib.blake2b(machine().encode(), digest_size=4).hexdigest()


def write_bytes(path: Path | str, content: bytes) -> None:
    with writing(path) as file:
        file.write(content)


def write_json(path: Path | str, content: Any) -> None:
    """JSON in UTF-8; a number that is not finite raises ValueError, since JSON has no word for it."""
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def write_parquet(path: Path | str, frame: "pd.DataFrame", row_group_size: int | None = None) -> None:
    """A table without its index.

    Args:
        row_group_size: rows that can be read without the others; None: Arrow's own, a million.
    """
    with writing(path) as file:
        frame.to_parquet(file, index=False, row_group_size=row_group_size)

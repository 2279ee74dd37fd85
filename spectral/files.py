"""Files that appear whole or not at all: whoever reads one never sees half of it."""

import errno
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from boltons.fileutils import atomic_save

from spectral.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_NO_SPACE = {
    errno.ENOSPC: "the disk is full",
    errno.EFBIG: "the limit on file size is reached",
    errno.EDQUOT: "the disk quota is used up",
}


@contextmanager
def space_errors(path: Path | str) -> Iterator[None]:
    """Turn a full disk, met while writing `path`, into a UserError; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        cause = _NO_SPACE[error.errno]
        raise UserError(f"{path} could not be written: {cause}; make room and give the same command again.") from error


@contextmanager
def writing(path: Path | str) -> Iterator[BinaryIO]:
    """A binary file that takes its place at `path`, replacing what is there, when the block ends without an error.

    Raises:
        UserError: the disk is full.
    """
    path = Path(path)
    # One name a writer: the library's default is shared by all writers of a file, who would spoil each other's.
    part = f".{path.name}.{os.getpid()}.{threading.get_ident()}.part"
    with space_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered below and a buffer of our own above: the library leaves its part file behind where the last
        # flush of a buffer fails.
        with atomic_save(str(path), part_file=part, overwrite_part=True, buffering=0) as raw:
            file = io.BufferedWriter(raw)
            yield file
            file.flush()


def write_bytes(path: Path | str, content: bytes) -> None:
    with writing(path) as file:
        file.write(content)


def write_json(path: Path | str, content: Any) -> None:
    """JSON in UTF-8; a number that is not finite raises ValueError, since JSON has no word for it."""
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def write_parquet(path: Path | str, frame: "pd.DataFrame") -> None:
    with writing(path) as file:
        frame.to_parquet(file, index=False)

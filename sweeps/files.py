"""Files that appear whole or not at all, and JSON in them."""

import json
import os
import threading
from pathlib import Path
from typing import Any

from boltons.fileutils import atomic_save

from sweeps.errors import user_error


def write_bytes(path: Path, content: bytes) -> None:
    """Replaces what is there. Raises OSError where the file cannot be written."""
    part = f".{path.name}.{os.getpid()}.{threading.get_ident()}.part"
    left = memoryview(content)
    # Unbuffered: the library leaves its part file behind where the last flush of a buffer fails.
    with atomic_save(str(path), part_file=part, overwrite_part=True, buffering=0) as file:
        while left:
            left = left[file.write(left) :]


def write_output(path: Path, content: bytes, named: str) -> None:
    """The file that a command is asked for.

    Args:
        named: what a sentence calls it, such as "--out table.csv".

    Raises:
        UserError: it cannot be written.
    """
    try:
        write_bytes(path, content)
    except OSError as error:
        raise user_error(f"{named} cannot be written: {error.strerror}.") from error


def write_json(path: Path, content: Any) -> None:
    """Makes the folder where it is missing. Raises OSError where the file cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def load_rows(path: Path) -> list[dict[str, Any]]:
    """JSON objects from a file that has one a line; a last line cut short by a kill is left out.

    Empty where the file is not there. Raises ValueError for anything else in it.
    """
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
    rows = [json.loads(line) for line in lines]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"a line of {path} holds no JSON object")
    return rows


def load_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty where the file is not there. Raises ValueError for anything else in it."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply") from error
    if not isinstance(loaded, dict):
        raise ValueError(f"{path} holds no JSON object")
    return loaded

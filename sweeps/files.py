"""Write files whole or not at all, and read and write JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boltons.fileutils import atomic_save

from sweeps.errors import user_error

if TYPE_CHECKING:
    import pandas as pd


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, replacing an existing one. Raises OSError if the file cannot be written."""
    from spectral.files import part_name

    left = memoryview(content)
    # Unbuffered: the library leaves its partial file behind if the last flush of a buffer fails.
    with atomic_save(str(path), part_file=part_name(path), overwrite_part=True, buffering=0) as file:
        while left:
            left = left[file.write(left) :]


def remove_left_parts(folder: Path) -> None:
    """Remove what killed processes left of files that they were writing into a folder."""
    from spectral.files import remove_left_parts as remove

    remove(folder)


def write_output(path: Path, content: bytes, named: str) -> None:
    """Write the output file that the user asked a command for.

    Args:
        named: the file as an error sentence names it, such as "--out table.csv".

    Raises:
        UserError: it cannot be written.
    """
    try:
        write_bytes(path, content)
    except OSError as error:
        raise user_error(f"{named} cannot be written: {error.strerror}.") from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON, and make the folder if it is missing. Raises OSError if the file cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def write_table(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table without its index as Parquet, replacing an existing file.

    Raises:
        UserError: the disk is full.
        OSError: the file cannot be written for another reason.
    """
    from spectral.files import write_parquet

    write_parquet(path, frame)


def load_rows(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON objects, one per line. A last line that a kill left incomplete is left out.

    Empty if the file does not exist. Raises ValueError if a line is not a JSON object.
    """
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
    rows = [json.loads(line) for line in lines]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"a line of {path} holds no JSON object")
    return rows


def load_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty if the file does not exist. Raises ValueError if it is not a JSON object."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply") from error
    if not isinstance(loaded, dict):
        raise ValueError(f"{path} holds no JSON object")
    return loaded

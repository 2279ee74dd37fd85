"""Write files whole or not at all, and read and write JSON."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.errors import user_error

if TYPE_CHECKING:
    import pandas as pd


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, replacing an existing one. Raises OSError if the file cannot be written."""
    from spectral.files import replacing

    with replacing(path) as file:
        file.write(content)


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
    """Write JSON, and make the folder if it is missing. A number that is not finite is written as null.

    Raises OSError if the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_with_null(content), indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def _with_null(content: Any) -> Any:
    """The same content with None for what JSON has no word for: a controller must not end because of such a number."""
    if isinstance(content, Mapping):
        return {key: _with_null(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_with_null(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


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

"""Files of a run folder that need neither pandas nor torch; docs/run-folder.md names them."""

from pathlib import Path
from typing import Any

from sweeps.files import load_rows


def load_result(path: Path) -> dict[str, Any]:
    """result.json; empty if it is not there. Raises UserError if it cannot be read or holds values of another type."""
    from spectral.runs.stored_json import load_result as load

    return load(path) if path.is_file() else {}


def load_metrics(path: Path) -> list[dict[str, Any]]:
    """metrics.jsonl, a row an epoch; a last line cut short by a kill is left out. Raises ValueError for other lines."""
    from spectral.runs.stored_json import is_row

    rows = load_rows(path)
    for number, row in enumerate(rows, start=1):
        if not is_row(row):
            raise ValueError(f"line {number} is not the JSON of an epoch")
    return rows

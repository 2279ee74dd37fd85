"""Whether a run keeps to `sweep.constraints`, by the numbers in its result.json."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweeps.space import Constraint


def violations(constraints: Sequence[Constraint], folders: Sequence[Path]) -> dict[str, float]:
    """How far each constrained number, its mean over the seeds' folders, is outside; 0 or less where it is allowed.

    Raises:
        ValueError: a number that the runs did not report.
    """
    if not constraints:
        return {}
    results = [_result(folder) for folder in folders]
    return {c.name: c.violation(statistics.fmean(_number(result, c.name) for result in results)) for c in constraints}


def _result(folder: Path) -> dict[str, Any]:
    path = folder / "result.json"
    if not path.is_file():
        raise ValueError(f"sweep.constraints are read from {path.name}, which the run did not write")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def _number(result: dict[str, Any], name: str) -> float:
    value = result.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"sweep.constraints.{name} is not a number of result.json")
    return value

"""Whether a configuration keeps to `sweep.constraints`: before training, and after it by result.json."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeps.space.constraints import Constraint


class OutsideConstraints(Exception):  # noqa: N818  (no error: an answer)
    """Raised in a job whose configuration is not worth running.

    Args:
        violations: how far each number that is outside is so, by its name.
        reason: in a sentence.
    """

    def __init__(self, violations: dict[str, float], reason: str) -> None:
        super().__init__(violations, reason)  # all of them, so that it can be pickled
        self.violations, self.reason = violations, reason

    def __str__(self) -> str:
        return self.reason


def check_known(constraints: Sequence[Constraint], numbers: Mapping[str, Any]) -> None:
    """Check the numbers that are known; constraints on others wait for the result.

    Raises:
        OutsideConstraints: one or more are outside.
    """
    known = {c: _value(numbers, c.name) for c in constraints if c.name in numbers}
    outside = [c for c, value in known.items() if c.violation(value) > 0]
    if outside:
        raise OutsideConstraints({c.name: c.violation(known[c]) for c in known}, _reason(outside, known))


def judge(constraints: Sequence[Constraint], folders: Sequence[Path]) -> tuple[dict[str, float], str]:
    """How far each number, its mean over the seeds' folders, is outside (0 or less where allowed); and the reason.

    Raises:
        ValueError: a number that the runs did not report.
    """
    if not constraints:
        return {}, ""
    results = [_result(folder) for folder in folders]
    known = {c: statistics.fmean(_value(result, c.name) for result in results) for c in constraints}
    violations = {c.name: c.violation(value) for c, value in known.items()}
    return violations, _reason([c for c in constraints if violations[c.name] > 0], known)


def _reason(outside: Sequence[Constraint], known: Mapping[Constraint, float]) -> str:
    return "; ".join(constraint.sentence(known[constraint]) for constraint in outside)


def _result(folder: Path) -> dict[str, Any]:
    path = folder / "result.json"
    if not path.is_file():
        raise ValueError(f"sweep.constraints are read from {path.name}, which the run did not write")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def _value(numbers: Mapping[str, Any], name: str) -> float:
    """A number by its name. Null is one without bound, as the receptive field of a network that sees everything."""
    value = numbers.get(name, "absent")
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"sweep.constraints.{name} is not a number of result.json")
    return value

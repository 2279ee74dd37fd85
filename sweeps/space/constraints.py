"""What a configuration must keep to, such as a number of parameters: `sweep.constraints`."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeps.errors import nearest, user_error
from sweeps.space.values import is_number

FARTHEST = 1e9  # finite, since samplers model how far a trial is outside
MOST_DIGITS = 1e15  # a count below it is written out; above, a number has its power of ten


@dataclass(frozen=True)
class Constraint:
    """Bounds of a number that the engine knows by name. At least one of the two is given."""

    name: str
    at_least: float | None = None
    at_most: float | None = None

    def violation(self, value: float) -> float:
        """How far the value is outside, in its own unit; 0 or less where it is allowed, as Optuna's set_constraint.

        Args:
            value: infinite if it has no bound.
        """
        below = -float("inf") if self.at_least is None else self.at_least - value
        above = -float("inf") if self.at_most is None else value - self.at_most
        return min(max(below, above, -FARTHEST), FARTHEST)

    def sentence(self, value: float) -> str:
        """That a value is outside, and what is allowed."""
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        allowed = ", ".join(f"{word} {_shown(bound)}" for word, bound in bounds if bound is not None)
        return f"outside the constraint on {self.name}: {_shown(value)}, {allowed}"


def _shown(value: float) -> str:
    if math.isinf(value):
        return "without bound"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < MOST_DIGITS else f"{value:,.7g}"


def read_constraints(node: Mapping[str, Any] | None) -> list[Constraint]:
    """`{num_parameters: {at_most: 2e6}}`.

    Raises:
        UserError: what is wrong with it.
    """
    return [_read(str(name), bounds) for name, bounds in (node or {}).items()]


def _read(name: str, bounds: Any) -> Constraint:
    where, allowed = f"sweep.constraints.{name}", ("at_least", "at_most")
    if not isinstance(bounds, Mapping) or not bounds:
        raise user_error(f"{where}={bounds} has no bound: allowed is a mapping such as {{at_most: 2e6}}.")
    for bound, value in bounds.items():
        if bound not in allowed:
            raise user_error(f"{where}.{bound} is not a bound: {nearest(str(bound), allowed)}.")
        if not is_number(value) or not math.isfinite(value):
            raise user_error(f"{where}.{bound}={value} has the wrong type: allowed is a finite number.")
    constraint = Constraint(name, bounds.get("at_least"), bounds.get("at_most"))
    if constraint.at_least is not None and constraint.at_most is not None and constraint.at_least > constraint.at_most:
        raise user_error(
            f"{where} allows no value: at_least={constraint.at_least} is above at_most={constraint.at_most}."
        )
    return constraint


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
    values = {c: _value(numbers, c.name) for c in constraints if c.name in numbers}
    outside = [c for c, value in values.items() if c.violation(value) > 0]
    if outside:
        raise OutsideConstraints({c.name: c.violation(values[c]) for c in values}, _reason(outside, values))


def judge(constraints: Sequence[Constraint], folders: Sequence[Path]) -> tuple[dict[str, float], str]:
    """How far each number, its mean over the seeds' folders, is outside (0 or less where allowed); and the reason.

    Raises:
        ValueError: a number that the runs did not report.
    """
    if not constraints:
        return {}, ""
    results = [_result(folder) for folder in folders]
    values = {c: statistics.fmean(_value(result, c.name) for result in results) for c in constraints}
    violations = {c.name: c.violation(value) for c, value in values.items()}
    return violations, _reason([c for c in constraints if violations[c.name] > 0], values)


def _reason(outside: Sequence[Constraint], values: Mapping[Constraint, float]) -> str:
    return "; ".join(constraint.sentence(values[constraint]) for constraint in outside)


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
        raise ValueError(f"sweep.constraints.{name} cannot be checked: it is {value}, and no number")
    return value

"""Constraints on configurations, `sweep.constraints`, such as a largest number of parameters."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeps.errors import first_line, nearest, user_error
from sweeps.space.values import is_number

FARTHEST = 1e9  # largest violation; finite, since samplers model how far a trial is outside
MOST_DIGITS = 1e15  # integers below it are written out, larger ones with an exponent


@dataclass(frozen=True)
class Constraint:
    """Bounds on a number of a run, found by its name. At least one of the two is given."""

    name: str
    at_least: float | None = None
    at_most: float | None = None

    def violation(self, value: float) -> float:
        """How far the value is outside, in its own unit; 0 or less if it is allowed, as for Optuna's set_constraint.

        Args:
            value: infinite if the number has no bound.
        """
        below = -float("inf") if self.at_least is None else self.at_least - value
        above = -float("inf") if self.at_most is None else value - self.at_most
        return min(max(below, above, -FARTHEST), FARTHEST)

    def sentence(self, value: float) -> str:
        """A sentence that says that a value is outside, and what is allowed."""
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        allowed = ", ".join(f"{word} {_shown(bound)}" for word, bound in bounds if bound is not None)
        return f"outside the constraint on {self.name}: {_shown(value)}, {allowed}"


def _shown(value: float) -> str:
    if math.isinf(value):
        return "without bound"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < MOST_DIGITS else f"{value:,.7g}"


def read_constraints(node: Mapping[str, Any] | None) -> list[Constraint]:
    """Read constraints from a mapping such as `{num_parameters: {at_most: 2e6}}`.

    Raises:
        UserError: the mapping is not valid; the sentence says why.
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


class OutsideConstraints(Exception):  # noqa: N818  (not an error, but a result)
    """Raised in a job whose configuration is outside the constraints.

    Args:
        violations: how far each number is outside, by name.
        reason: one sentence.
    """

    def __init__(self, violations: dict[str, float], reason: str) -> None:
        super().__init__(violations, reason)  # all arguments, so that it can be pickled
        self.violations, self.reason = violations, reason

    def __str__(self) -> str:
        return self.reason


def check_known(constraints: Sequence[Constraint], numbers: Mapping[str, Any]) -> None:
    """Check the constraints on known numbers; those on other numbers are checked when the result is there.

    Raises:
        OutsideConstraints: a number is outside.
    """
    values = {c: _value(numbers, c.name) for c in constraints if c.name in numbers}
    outside = [c for c, value in values.items() if c.violation(value) > 0]
    if outside:
        raise OutsideConstraints({c.name: c.violation(values[c]) for c in values}, _reason(outside, values))


def judge(constraints: Sequence[Constraint], folders: Sequence[Path]) -> tuple[dict[str, float], str]:
    """How far each number is outside (0 or less if allowed), and the reason. Of several seeds the mean is taken.

    Raises:
        ValueError: the runs did not report a number, or their results cannot be read.
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
    try:
        loaded = json.loads(path.read_text("utf-8"))
        if not isinstance(loaded, dict):
            raise ValueError("it holds no JSON object")
    except FileNotFoundError:
        raise ValueError(f"sweep.constraints are read from {path.name}, which the run did not write") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"sweep.constraints need {path}, which cannot be read: {first_line(error)}") from error
    return loaded


def _value(numbers: Mapping[str, Any], name: str) -> float:
    """A number by its name. Null means infinite, such as the receptive field of a network that sees everything."""
    value = numbers.get(name, "absent")
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError(f"sweep.constraints.{name} cannot be checked: its value {value} is not a number")
    return value

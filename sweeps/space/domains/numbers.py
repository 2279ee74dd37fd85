"""Domains of numbers between two bounds, both included."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sweeps.space.values import is_number

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

MOST_STEPS = 1_000_000


@dataclass(frozen=True)
class Int:
    """Every integer from low to high; with `log` each octave is drawn equally often."""

    low: int
    high: int
    log: bool = False

    def suggest(self, trial: "BaseTrial", name: str) -> int:
        return trial.suggest_int(name, self.low, self.high, log=self.log)

    def params(self, name: str, value: int) -> dict[str, Any]:
        return {name: value}

    def contains(self, value: Any) -> bool:
        return isinstance(value, int) and is_number(value) and self.low <= value <= self.high

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def values(self) -> Sequence[int]:
        return range(self.low, self.high + 1)

    def extremes(self) -> list[Any]:
        return [self.low, self.high]

    def signature(self) -> dict[str, Any]:
        return {"type": "int", "low": self.low, "high": self.high, "log": self.log}

    def __str__(self) -> str:
        return f"an integer from {self.low} to {self.high}"


@dataclass(frozen=True)
class Float:
    """Any number from low to high; with `log` each octave is drawn equally often."""

    low: float
    high: float
    log: bool = False

    size = None

    def suggest(self, trial: "BaseTrial", name: str) -> float:
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def params(self, name: str, value: float) -> dict[str, Any]:
        return {name: float(value)}

    def contains(self, value: Any) -> bool:
        return is_number(value) and self.low <= value <= self.high

    def values(self) -> Sequence[float]:
        raise TypeError("a float has no list of values")

    def extremes(self) -> list[Any]:
        return [self.low, self.high]

    def signature(self) -> dict[str, Any]:
        return {"type": "float", "low": self.low, "high": self.high, "log": self.log}

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Steps:
    """start, start + step, ...: all integers, or all floats.

    Args:
        numbers: the values, two or more, in the order in which a grid runs them. Optuna and Hydra add steps to floats
            with different rounding, so the values are listed here, and the Optuna parameter only selects one of them.
        step: between neighbours; below 0 if the values decrease.
    """

    numbers: tuple[float, ...]
    step: float

    def suggest(self, trial: "BaseTrial", name: str) -> float:
        low, high = self._bounds()
        if isinstance(low, int) and isinstance(high, int):
            return trial.suggest_int(name, low, high, step=int(abs(self.step)))
        place = round((trial.suggest_float(name, low, high, step=abs(self.step)) - low) / abs(self.step))
        return self._rising()[place]

    def params(self, name: str, value: float) -> dict[str, Any]:
        low, _ = self._bounds()
        place = self._rising().index(value)
        return {name: _after(low, place, abs(self.step))}

    def _rising(self) -> tuple[float, ...]:
        return self.numbers if self.step > 0 else self.numbers[::-1]

    def _bounds(self) -> tuple[float, float]:
        """The bounds as exact decimals would give them, so that Optuna finds a whole number of steps between them."""
        ends = self.numbers[0], _after(self.numbers[0], len(self.numbers) - 1, self.step)
        return min(ends), max(ends)

    def contains(self, value: Any) -> bool:
        return is_number(value) and value in self.numbers

    @property
    def size(self) -> int:
        return len(self.numbers)

    def values(self) -> Sequence[float]:
        return self.numbers

    def extremes(self) -> list[Any]:
        return [min(self.numbers), max(self.numbers)]

    def signature(self) -> dict[str, Any]:
        return {"type": "steps", "values": list(self._rising())}

    def __str__(self) -> str:
        return f"{min(self.numbers):g} to {max(self.numbers):g} in steps of {abs(self.step):g}"


def stepped(low: float, high: float, step: float) -> Steps:
    """The numbers from low to high by step; high must be a whole number of steps from low."""
    num_steps = math.floor((Decimal(repr(high)) - Decimal(repr(low))) / Decimal(repr(step)))
    return Steps(tuple(_after(low, k, step) for k in range(num_steps + 1)), step)


def _after(start: float, num_steps: int, step: float) -> float:
    """start + num_steps * step as decimal arithmetic gives it: 0.1 + 2 * 0.1 is 0.3."""
    if isinstance(start, int) and isinstance(step, int):
        return start + num_steps * step
    return float(Decimal(repr(start)) + num_steps * Decimal(repr(step)))

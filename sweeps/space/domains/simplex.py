"""Shares that sum to 1, such as the class fractions of a batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.space.values import is_number

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

UNITS = 10_000
"""Shares are whole multiples of 1 / UNITS: they read well, sum to 1 exactly, and equal ones are seen to be equal."""

_LOWEST = 1e-9
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Simplex:
    """K shares, each at least its minimum, that sum to 1 within 1e-9; uniform where the parameters are.

    p = m + (1 - sum(m)) x / sum(x) with x_i = -log(u_i) and u_i uniform on [1e-9, 1]: x is exponential, so x / sum(x)
    is uniform on the simplex (Devroye 1986, *Non-Uniform Random Variate Generation*, chapter XI, theorem 4.1).

    Args:
        minimum: [K], m above, each >= 0, a whole number of units, with a sum below 1.
    """

    minimum: tuple[float, ...]

    size = None

    def suggest(self, trial: "BaseTrial", name: str) -> list[float]:
        x = [-math.log(trial.suggest_float(helper, _LOWEST, 1.0)) for helper in self._names(name)]
        total = sum(x)
        free = [value / total for value in x] if total > 0 else [1 / len(x)] * len(x)
        units = apportion(free, UNITS - sum(self._minimum_units))
        return [(u + m) / UNITS for u, m in zip(units, self._minimum_units, strict=True)]

    def params(self, name: str, value: Sequence[float]) -> dict[str, Any]:
        """Of all the u that give these shares, those with sum(x) = K, its mean (at most 20, so that u stays in range).

        Shares between two multiples of the unit are rounded, as `suggest` would round them.
        """
        units = apportion(self._free(value), UNITS - sum(self._minimum_units))
        scale = min(len(units), 20) / sum(units)
        return {helper: math.exp(-scale * unit) for helper, unit in zip(self._names(name), units, strict=True)}

    def _free(self, value: Sequence[float]) -> list[float]:
        """What shares have above their minimum, as a part of all that is free."""
        above = [max(share - minimum, 0.0) for share, minimum in zip(value, self.minimum, strict=True)]
        return [share / sum(above) for share in above]

    def contains(self, value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) == len(self.minimum)
            and all(is_number(share) for share in value)
            and abs(sum(value) - 1) <= _SUM_TOLERANCE
            and all(share >= minimum - 1e-9 for share, minimum in zip(value, self.minimum, strict=True))
        )

    def values(self) -> Sequence[Any]:
        raise TypeError("a simplex has no list of values")

    def extremes(self) -> list[Any]:
        """The corners: every class but one at its minimum."""
        free = UNITS - sum(self._minimum_units)
        corners = range(len(self.minimum))
        return [[(m + free * (i == c)) / UNITS for i, m in enumerate(self._minimum_units)] for c in corners]

    def signature(self) -> dict[str, Any]:
        return {"type": "simplex", "size": len(self.minimum), "minimum": list(self.minimum)}

    def __str__(self) -> str:
        least = ", ".join(f"{minimum:g}" for minimum in self.minimum)
        return f"{len(self.minimum)} shares that sum to 1 and are at least {least}"

    @property
    def _minimum_units(self) -> list[int]:
        return [round(minimum * UNITS) for minimum in self.minimum]

    def _names(self, name: str) -> list[str]:
        return [f"{name}[u{i}]" for i in range(len(self.minimum))]


def apportion(shares: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to shares that sum to 1, by largest remainders; they sum to total."""
    exact = [share * total for share in shares]
    counts = [math.floor(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts

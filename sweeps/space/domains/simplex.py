"""Shares that sum to 1, such as the class fractions of a batch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.space.values import is_number, key_text

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

UNITS = 10_000
"""Shares are whole multiples of 1 / UNITS: they are short to read, sum to 1 exactly, and can be compared exactly."""

_LOWEST = 1e-9
_SUM_TOLERANCE = 1e-6

Shares = list[float] | dict[str, float]
"""[K] in the order of the data's classes, or by class name."""


@dataclass(frozen=True)
class Simplex:
    """K shares, each at least its minimum, that sum to 1 within 1e-9. Uniform parameters give uniform shares.

    p = m + (1 - sum(m)) x / sum(x) with x_i = -log(u_i) and u_i uniform on [1e-9, 1]: x is exponential, so x / sum(x)
    is uniform on the simplex (Devroye 1986, *Non-Uniform Random Variate Generation*, chapter XI, theorem 4.1).

    Args:
        minimum: [K], m above, each >= 0, a whole number of units, with a sum below 1.
        classes: [K], names for the shares: with them values are mappings by name, without them lists.
    """

    minimum: tuple[float, ...]
    classes: tuple[str, ...] | None = None

    size = None

    def suggest(self, trial: "BaseTrial", name: str) -> Shares:
        x = [-math.log(trial.suggest_float(helper, _LOWEST, 1.0)) for helper in self._names(name)]
        total = sum(x)
        free = [value / total for value in x] if total > 0 else [1 / len(x)] * len(x)
        units = apportion(free, UNITS - sum(self._minimum_units))
        return self._named([(u + m) / UNITS for u, m in zip(units, self._minimum_units, strict=True)])

    def params(self, name: str, value: Shares) -> dict[str, Any]:
        """One set of u that gives these shares: that with sum(x) = K, the mean (at most 20, so that u stays in range).

        Shares between two multiples of the unit are rounded as in `suggest`.
        """
        units = apportion(self._free(self._listed(value)), UNITS - sum(self._minimum_units))
        scale = min(len(units), 20) / sum(units)
        return {helper: math.exp(-scale * unit) for helper, unit in zip(self._names(name), units, strict=True)}

    def _free(self, value: Sequence[float]) -> list[float]:
        """The part of each share above its minimum, divided by the sum of these parts."""
        above = [max(share - minimum, 0.0) for share, minimum in zip(value, self.minimum, strict=True)]
        return [share / sum(above) for share in above]

    def contains(self, value: Any) -> bool:
        if self.classes is not None and not (isinstance(value, Mapping) and self._names_classes(value)):
            return False
        shares = self._listed(value)
        return (
            isinstance(shares, list)
            and len(shares) == len(self.minimum)
            and all(is_number(share) for share in shares)
            and abs(sum(shares) - 1) <= _SUM_TOLERANCE
            and all(share >= minimum - 1e-9 for share, minimum in zip(shares, self.minimum, strict=True))
        )

    def in_order(self, value: Shares) -> Shares:
        """The same value, with its names in the order of `classes`."""
        return self._named(self._listed(value))

    def _names_classes(self, value: Mapping[Any, Any]) -> bool:
        return sorted(map(key_text, value)) == sorted(self.classes or ())

    def _named(self, shares: list[float]) -> Shares:
        return shares if self.classes is None else dict(zip(self.classes, shares, strict=True))

    def _listed(self, value: Any) -> Any:
        if self.classes is None:
            return value
        by_name = {key_text(name): share for name, share in value.items()}
        return [by_name[name] for name in self.classes]

    def values(self) -> Sequence[Any]:
        raise TypeError("a simplex has no list of values")

    def extremes(self) -> list[Any]:
        """The corners: all classes except one at their minimum."""
        free = UNITS - sum(self._minimum_units)
        corners = range(len(self.minimum))
        shares = [[(m + free * (i == c)) / UNITS for i, m in enumerate(self._minimum_units)] for c in corners]
        return [self._named(corner) for corner in shares]

    def signature(self) -> dict[str, Any]:
        named = {} if self.classes is None else {"classes": list(self.classes)}
        return {"type": "simplex", "size": len(self.minimum), "minimum": list(self.minimum)} | named

    def __str__(self) -> str:
        if self.classes is not None:
            least = ", ".join(f"{name}: {minimum:g}" for name, minimum in zip(self.classes, self.minimum, strict=True))
            return f"a mapping of shares by class that sum to 1 and are at least {{{least}}}"
        least = ", ".join(f"{minimum:g}" for minimum in self.minimum)
        return f"{len(self.minimum)} shares that sum to 1 and are at least {least}"

    @property
    def _minimum_units(self) -> list[int]:
        return [round(minimum * UNITS) for minimum in self.minimum]

    def _names(self, name: str) -> list[str]:
        return [f"{name}[u{i}]" for i in range(len(self.minimum))]


def apportion(shares: Sequence[float], total: int) -> list[int]:
    """Integers in proportion to shares that sum to 1, by the largest-remainder method; they sum to total."""
    exact = [share * total for share in shares]
    counts = [math.floor(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts

"""How far the parts of a network look: which inputs one of their positions depends on."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add, or_
from typing import Any


@dataclass(frozen=True)
class ReceptiveField:
    """The inputs of a position, from `left` before it to `right` after it, in positions; infinite for all of them."""

    left: float
    right: float

    def __add__(self, after: "ReceptiveField") -> "ReceptiveField":
        """Of one part after another."""
        return ReceptiveField(self.left + after.left, self.right + after.right)

    def __or__(self, other: "ReceptiveField") -> "ReceptiveField":
        """Of two parts that read the same input."""
        return ReceptiveField(max(self.left, other.left), max(self.right, other.right))

    def __mul__(self, step: int) -> "ReceptiveField":
        """In pixels, where neighbouring positions lie `step` pixels apart."""
        return ReceptiveField(self.left * step, self.right * step)

    @property
    def num_inputs(self) -> int | None:
        """From the first to the last of them; None for all."""
        return None if math.isinf(self.left + self.right) else int(self.left + 1 + self.right)


POINT = ReceptiveField(0, 0)
WHOLE = ReceptiveField(math.inf, math.inf)  # the length of the spectrum, whatever that is
NEIGHBOURS = ReceptiveField(1, 1)
HALVES = ReceptiveField(0, 1)  # of pooling by 2; its positions lie twice as far apart


def in_series(parts: Iterable[Any]) -> ReceptiveField:
    """Of parts, each with a `reach`, one after another at the same length."""
    return reduce(add, (part.reach for part in parts), POINT)


def in_parallel(parts: Iterable[Any]) -> ReceptiveField:
    """Of parts, each with a `reach`, that read the same input."""
    return reduce(or_, (part.reach for part in parts), POINT)

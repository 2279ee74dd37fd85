"""Dividing spectra into parts: by shares within each stratum, units kept whole, what was divided before left alone.

Legend: N spectra, U units (objects with one or several spectra), S strata (classes), P parts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NUM_ORDERS = 100  # of units, tried before a division is given up


class TornUnitError(ValueError):
    """Spectra of one unit were divided before; `unit` is its number."""

    def __init__(self, unit: int) -> None:
        super().__init__(f"unit {unit} is in several parts")
        self.unit = unit


class RareStratumError(ValueError):
    """No division was found that has a stratum in every part; it has `num_units` units."""

    def __init__(self, stratum: int, num_units: int) -> None:
        super().__init__(f"stratum {stratum} has {num_units} units")
        self.stratum, self.num_units = stratum, num_units


@dataclass(frozen=True)
class LargerUnits:
    """Units of several spectra, by number: what is the same in whatever order they are placed."""

    members: list[Ints]  # rows of each
    contents: list[tuple[Ints, Ints]]  # strata of each, and its spectra in them
    sizes: Ints  # spectra of each [U]
    first: Ints  # where each begins among the rows [U]

    @classmethod
    def of(cls, units: Ints, strata: Ints, rows: Ints) -> "LargerUnits":
        """`rows` are all spectra of some units, in random order."""
        _, first, sizes = np.unique(units[rows], return_index=True, return_counts=True)
        members = np.split(rows[np.argsort(units[rows], kind="stable")], np.cumsum(sizes)[:-1])
        return cls(members, [np.unique(strata[of_unit], return_counts=True) for of_unit in members], sizes, first)


@dataclass
class Partition:
    """Spectra on their way into parts.

    Args:
        units: unit of each spectrum [N], numbered from 0.
        strata: stratum of each spectrum [N], numbered from 0.
        shares: of each part [P], positive, of sum 1.
    """

    units: Ints
    strata: Ints
    shares: NDArray[np.float64]

    def complete(self, parts: Ints, rng: np.random.Generator, *, drawn: bool = False) -> Ints:
        """Part of each spectrum [N], given those divided before (-1: not yet).

        Single spectra fill every stratum up to its quota, so that without larger units all counts are within 1 of
        their share (or 1, if that is less). Larger units go first, the largest before all, each to the part that
        they bring closest to its quotas. If `drawn`, units of about the same size go in random order. If a stratum
        then lacks a part, they are placed in other orders.

        Raises:
            TornUnitError, RareStratumError
        """
        known = self._with_known_units(parts)
        self._quotas = np.stack([quotas(n, self.shares) for n in np.bincount(self.strata)])
        new = rng.permutation(np.flatnonzero(known < 0))
        is_single = np.bincount(self.units)[self.units[new]] == 1
        larger = LargerUnits.of(self.units, self.strata, new[~is_single])
        counts = np.zeros_like(self._quotas)
        np.add.at(counts, (self.strata[known >= 0], known[known >= 0]), 1)
        units_left = np.bincount(_pairs(self.units[new], self.strata[new])[:, 1], minlength=len(self._quotas))
        for spread in range(int(drawn), NUM_ORDERS):
            parts, self._counts, self._units_left = known.copy(), counts.copy(), units_left.copy()
            self._place_units(larger, parts, spread * rng.random(len(larger.sizes)))
            self._place_singles(new[is_single], parts)
            lacking = self._lacking()
            if not lacking:
                return parts
            if min(lacking.values()) < len(self.shares) or not len(larger.sizes):
                break
        raise RareStratumError(*min(lacking.items(), key=lambda item: item[1]))

    def _with_known_units(self, parts: Ints) -> Ints:
        """New spectra of a unit that was divided before follow it."""
        of_unit = np.full(self.units.max(initial=-1) + 1, -1)
        known = parts >= 0
        of_unit[self.units[known]] = parts[known]
        if (torn := of_unit[self.units[known]] != parts[known]).any():
            raise TornUnitError(int(self.units[known][torn][0]))
        return of_unit[self.units]

    def _place_units(self, units: LargerUnits, parts: Ints, drawn: NDArray[np.float64]) -> None:
        """Place units by size, the largest first.

        Args:
            drawn: added to the logarithm, to base 2, of each size [U]. Random numbers of up to s let sizes within a
                factor of 2 ** s go in any order.
        """
        for i in np.lexsort((units.first, -np.log2(units.sizes) - drawn)):
            strata, numbers = units.contents[i]
            part = self._best_part(strata, numbers)
            parts[units.members[i]] = part
            self._counts[strata, part] += numbers
            self._units_left[strata] -= 1

    def _best_part(self, strata: Ints, numbers: Ints) -> int:
        """Where a unit with so many spectra of some strata goes."""
        counts, quota = self._counts[strata], self._quotas[strata]
        # Growth of sum over strata of (count - quota)^2 / quota, for each part.
        growth = ((2 * (counts - quota) + numbers[:, None]) * numbers[:, None] / quota.clip(1)).sum(0)
        absent = counts == 0
        needed = absent & (self._units_left[strata] <= absent.sum(1))[:, None]
        return int(np.lexsort((growth, -needed.sum(0)))[0])

    def _place_singles(self, rows: Ints, parts: Ints) -> None:
        for stratum in np.unique(self.strata[rows]):
            mine = rows[self.strata[rows] == stratum]
            room = (self._quotas[stratum] - self._counts[stratum]).clip(0)
            # A part that has too many leaves the others less than their quota, but no part empty if it can be helped.
            if len(mine) < room.sum():
                room = _cut(room, self._counts[stratum] == 0, len(mine))
            parts[mine] = np.repeat(np.arange(len(room)), room)
            self._counts[stratum] += room

    def _lacking(self) -> dict[int, int]:
        """The strata that lack a part, each with its number of units."""
        lacking = (self._counts == 0).any(axis=1) & (self._counts.sum(axis=1) > 0)
        return {int(s): len(np.unique(self.units[self.strata == s])) for s in np.flatnonzero(lacking)}


def _pairs(units: Ints, strata: Ints) -> Ints:
    """Which strata each unit has: distinct rows (unit, stratum)."""
    return np.unique(np.stack([units, strata], axis=1), axis=0)


def _cut(room: Ints, first: NDArray[np.bool_], num: int) -> Ints:
    """Fewer places than there are, `num` of them: one in each part that comes first, the others in proportion."""
    served = np.minimum(room, first) if num >= np.minimum(room, first).sum() else np.zeros_like(room)
    left = room - served
    return served + quotas(num - int(served.sum()), left / left.sum(), at_least=0)


def quotas(num: int, shares: NDArray[np.float64], at_least: int = 1) -> Ints:
    """Whole numbers of sum `num`, as near to `num * shares` as largest remainders bring them [P].

    A part with fewer than `at_least` takes from the largest part, as long as there is enough for all.
    """
    exact = num * shares
    numbers = np.floor(exact + 1e-9).astype(np.int64)
    numbers[np.argsort(numbers - exact, kind="stable")[: num - numbers.sum()]] += 1
    while num >= at_least * len(shares) and numbers.min() < at_least:
        numbers[numbers.argmax()] -= 1
        numbers[numbers.argmin()] += 1
    return numbers

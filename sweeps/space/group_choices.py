"""The combinations of parts that a space chooses from config groups: which keys there are depends on them alone."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Any

from sweeps.space.axis import Axis
from sweeps.space.values import canonical, override

MOST_COMPOSED = 24  # for each new choice of parts Hydra takes about 0.1 s
MOST_LOOKED_AT = 5_000

Choice = frozenset[tuple[str, str]]  # of axis and value


def group_choices(ordered: Sequence[Axis], is_group: Callable[[str], bool]) -> list[dict[str, Any]]:
    """All combinations of parts, or if those are many, some that together contain each pair of parts.

    Of more than MOST_LOOKED_AT that many are drawn; a pair that is in none of them is left to the trials.

    Args:
        ordered: axes, each after those that its condition names.
        is_group: whether a key is that of a config group.
    """
    groups: list[Axis] = []
    for axis in ordered:
        if is_group(axis.name) and axis.domain.size and set(axis.when.allowed) <= {group.name for group in groups}:
            groups.append(axis)
    found = [choice for choice in islice(_combined(groups, {}), MOST_LOOKED_AT + 1) if choice]
    if len(found) > MOST_LOOKED_AT:  # the first ones have the same few values of the first axes
        draw = random.Random(0)
        found = [_drawn(groups, draw) for _ in range(MOST_LOOKED_AT)]
    return found if len(found) <= MOST_COMPOSED else _with_all_pairs(found)


def least_refused(refused: Sequence[Mapping[str, Any]], allowed: Sequence[Mapping[str, Any]]) -> str:
    """The fewest parts that are in some refused combination and in no allowed one, as overrides."""
    good = [marks(choice) for choice in allowed]
    for num in range(1, len(refused[0]) + 1):
        for choice in refused:
            for items in combinations(choice.items(), num):
                if not any(marks(dict(items)) <= other for other in good):
                    return " ".join(override(name, value) for name, value in items)
    raise AssertionError("a combination is both refused and allowed")


def marks(choice: Mapping[str, Any]) -> Choice:
    return frozenset((name, canonical(value)) for name, value in choice.items())


def _combined(groups: Sequence[Axis], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not groups:
        yield values
        return
    axis, *others = groups
    if not axis.when.holds(values):
        yield from _combined(others, values)
        return
    for value in axis.domain.values():
        yield from _combined(others, {**values, axis.name: value})


def _drawn(groups: Sequence[Axis], draw: random.Random) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for axis in groups:
        if axis.when.holds(values):
            values[axis.name] = draw.choice(axis.domain.values())
    return values


def _with_all_pairs(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    covered: set[tuple[tuple[str, str], ...]] = set()
    for choice in random.Random(0).sample(found, len(found)):  # neighbours in the list share most pairs
        pairs = set(combinations(sorted(marks(choice)), 2))
        if not pairs <= covered:
            covered |= pairs
            kept.append(choice)
    return kept

"""Dataclass fields that carry their allowed values, and the check that reads them.

A config dataclass says what is allowed where it says the default::

    width: int = number(16, at_least=1)
    pooling: str = choice("max", "max", "average")

`check_fields` is run on every typed config before anything starts.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from spectral.configs.renamed import new_name
from spectral.errors import UserError, nearest


@dataclass(frozen=True)
class Range:
    """Bounds of a number, or of each element of a list."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def holds(self, value: float) -> bool:
        return (
            math.isfinite(value)
            and (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        words = {"at least": self.at_least, "above": self.above, "at most": self.at_most, "below": self.below}
        return " and ".join(f"{word} {bound:g}" for word, bound in words.items() if bound is not None) or "finite"


def number(default: float | None, **bounds: float) -> Any:
    """A number within bounds (at_least, above, at_most, below); None passes where the type is Optional."""
    return field(default=default, metadata={"range": Range(**bounds)})


def numbers(default: Sequence[float] | None, *, min_items: int = 1, by_class: bool = False, **bounds: float) -> Any:
    """A list of at least `min_items` numbers, each within bounds; None passes where the type is Optional.

    Args:
        by_class: whether it has one value per class, in class order.
    """
    metadata = {"range": Range(**bounds), "min_items": min_items, "by_class": by_class}
    if default is None:
        return field(default=None, metadata=metadata)
    return field(default_factory=lambda: list(default), metadata=metadata)


def choice(default: str | None, *allowed: str) -> Any:
    """One of some words."""
    return field(default=default, metadata={"allowed": allowed})


def check_fields(config: Any, key: str) -> None:
    """Raise UserError for the first field of a config dataclass, nested ones included, that is not allowed.

    Args:
        config: an instance of a config dataclass.
        key: where it stands in the whole config, such as "model"; it begins the sentence.
    """
    for item in dataclasses.fields(config):
        value, name = getattr(config, item.name), f"{key}.{item.name}" if key else item.name
        if dataclasses.is_dataclass(value):
            check_fields(value, name)
        elif isinstance(value, list) and value and dataclasses.is_dataclass(value[0]):
            for i, element in enumerate(value):
                check_fields(element, f"{name}[{i}]")
        elif value is not None:
            _check_value(value, name, item.metadata)


def _check_value(value: Any, name: str, metadata: Any) -> None:
    if "allowed" in metadata and value not in metadata["allowed"]:
        if new := new_name(name, value):
            raise UserError(f"{name}={value} has another name by now: give {name}={new}.")
        raise UserError(f"{name}={value} is not known: {nearest(str(value), metadata['allowed'])}.")
    if isinstance(value, list) and len(value) < metadata.get("min_items", 0):
        raise UserError(f"{name}={value} is too short: it needs at least {metadata['min_items']} values.")
    if "range" in metadata:
        for element in value if isinstance(value, list) else [value]:
            if not metadata["range"].holds(element):
                raise UserError(f"{name}={value} is out of range: allowed is {metadata['range']}.")

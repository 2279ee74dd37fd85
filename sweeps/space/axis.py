"""An axis: one searched key, its domain, and the condition under which it is searched."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeps.space.domains.base import Domain
from sweeps.space.domains.simplex import Simplex
from sweeps.space.values import comparable, override, spellings, text

Values = Mapping[str, Any]
"""Axis key -> plain value, for the axes that are searched in a configuration."""


@dataclass(frozen=True)
class Condition:
    """A condition that holds if each of its keys has one of the allowed values.

    Args:
        allowed: key of another axis -> the allowed values. An axis that is itself not searched has no value.
    """

    allowed: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def holds(self, values: Values) -> bool:
        return all(key in values for key in self.allowed) and not self.is_ruled_out_by(values)

    def is_ruled_out_by(self, values: Values) -> bool:
        """Whether one of these values is not allowed. They may be only a part of a configuration."""
        return any(
            key in values and comparable(values[key]) not in {comparable(value) for value in allowed}
            for key, allowed in self.allowed.items()
        )

    def __str__(self) -> str:
        return " and ".join(f"{key}={' or '.join(map(text, allowed))}" for key, allowed in self.allowed.items())


@dataclass(frozen=True)
class Axis:
    """One searched key.

    Args:
        key: as it stands in an override, `model.width` or `+model.new_key`.
        when: the axis has a value only if this holds.
        shuffled: a grid runs the values in random order, which is the same for every run of the same command.
    """

    key: str
    domain: Domain
    when: Condition = Condition()
    shuffled: bool = False

    @property
    def name(self) -> str:
        """The key without Hydra's + and ++: the axis's name in conditions, in enqueued values and for Optuna."""
        return self.key.lstrip("+")

    def among(self, values: Sequence[Any]) -> list[Any]:
        """Those of a condition's values that the axis can have, each once and as its domain has it: 2 for 2.0."""
        found: dict[str, Any] = {}
        for value in values:
            found |= {comparable(one): one for one in reversed(spellings(value)) if self.domain.contains(one)}
        return list(found.values())

    def is_always_among(self, possible: Sequence[Any]) -> bool:
        """Whether each configuration has the axis, and with one of these values, each given once."""
        return not self.when.allowed and self.domain.size == len(possible)

    def in_grid_order(self) -> Sequence[Any]:
        values = self.domain.values()
        if not self.shuffled:
            return values
        # The key is the seed of the order, so that a shuffled grid that is run again has the same order of trials.
        return random.Random(self.name).sample(values, len(values))

    def override(self, value: Any) -> str:
        """The override for a job. Shares by class are in the order in which the search names the classes."""
        return override(self.key, self.domain.in_order(value) if isinstance(self.domain, Simplex) else value)

    def signature(self) -> dict[str, Any]:
        when = {key: list(allowed) for key, allowed in self.when.allowed.items()}
        return self.domain.signature() | ({"when": when} if when else {})

"""An axis: one searched key, its domain, and when it is searched."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeps.space.domains.base import Domain
from sweeps.space.domains.simplex import Simplex
from sweeps.space.values import canonical, override, text

Values = Mapping[str, Any]
"""Axis key -> plain value, for the axes that are searched in a configuration."""


@dataclass(frozen=True)
class Condition:
    """Holds where each key has one of its values.

    Args:
        allowed: key of another axis -> the values it may have. An axis that is not searched itself has none.
    """

    allowed: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def holds(self, values: Values) -> bool:
        return all(key in values for key in self.allowed) and not self.is_ruled_out_by(values)

    def is_ruled_out_by(self, values: Values) -> bool:
        """Whether one of these values, which may be part of a configuration, is not allowed."""
        return any(
            key in values and canonical(values[key]) not in {canonical(value) for value in allowed}
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
        shuffled: a grid runs the values in random order, the same in every run of the same command.
    """

    key: str
    domain: Domain
    when: Condition = Condition()
    shuffled: bool = False

    @property
    def name(self) -> str:
        """The key without Hydra's + and ++: what conditions, enqueued values and Optuna call the axis."""
        return self.key.lstrip("+")

    def in_grid_order(self) -> Sequence[Any]:
        values = self.domain.values()
        if not self.shuffled:
            return values
        # The key seeds the order: a shuffled grid that is run again meets the same trials in the same places.
        return random.Random(self.name).sample(values, len(values))

    def override(self, value: Any) -> str:
        """What a job is given; shares by class in the order in which the search names the classes."""
        return override(self.key, self.domain.in_order(value) if isinstance(self.domain, Simplex) else value)

    def signature(self) -> dict[str, Any]:
        when = {key: list(allowed) for key, allowed in self.when.allowed.items()}
        return self.domain.signature() | ({"when": when} if when else {})

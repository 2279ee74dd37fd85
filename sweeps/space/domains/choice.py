"""Domains of given values: a choice among several of any type, and a single fixed value."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sweeps.space.values import canonical, comparable, text

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


@dataclass(frozen=True)
class Choice:
    """A choice among two or more different values, in the order in which a grid runs them.

    Args:
        kept: the values under the names that the study stores, if it was begun when they had other names.
    """

    options: tuple[Any, ...]
    kept: tuple[Any, ...] = ()

    def suggest(self, trial: "BaseTrial", name: str) -> Any:
        return self._value_of[canonical(trial.suggest_categorical(name, list(self._stored)))]

    def params(self, name: str, value: Any) -> dict[str, Any]:
        return {name: self._stored[self._texts.index(canonical(value))]}

    def contains(self, value: Any) -> bool:
        return canonical(value) in self._texts

    @property
    def size(self) -> int:
        return len(self.options)

    def values(self) -> Sequence[Any]:
        return self.options

    def extremes(self) -> list[Any]:
        return list(self.options)

    def signature(self) -> dict[str, Any]:
        return {"type": "choice", "values": list(self.options)}

    def __str__(self) -> str:
        return "one of " + ", ".join(text(value) for value in self.options)

    @cached_property
    def _texts(self) -> list[str]:
        return [canonical(value) for value in self.options]

    @cached_property
    def _stored(self) -> tuple[bool | int | float | str | None, ...]:
        """The values as Optuna stores them: its own types unchanged, others as JSON, which its dashboard can show.

        All are JSON if Optuna would confuse two of them, as it does with 1 and true, or "[1]" and [1].
        """
        kept = self.kept or self.options
        stored = tuple(v if v is None or isinstance(v, bool | int | float | str) else canonical(v) for v in kept)
        return stored if len(set(stored)) == len(stored) else tuple(map(canonical, kept))

    @cached_property
    def _value_of(self) -> dict[str, Any]:
        return {canonical(stored): value for stored, value in zip(self._stored, self.options, strict=True)}


@dataclass(frozen=True)
class Fixed:
    """A single value, which is not a parameter of the study."""

    value: Any

    size = 1

    def suggest(self, trial: "BaseTrial", name: str) -> Any:
        return self.value

    def params(self, name: str, value: Any) -> dict[str, Any]:
        return {}

    def contains(self, value: Any) -> bool:
        return comparable(value) == comparable(self.value)

    def values(self) -> Sequence[Any]:
        return [self.value]

    def extremes(self) -> list[Any]:
        return [self.value]

    def signature(self) -> dict[str, Any]:
        return {"type": "fixed", "value": self.value}

    def __str__(self) -> str:
        return f"{text(self.value)} alone"


def one_of(values: Sequence[Any]) -> Choice | Fixed:
    """A choice with each value once; Fixed if there is only one."""
    different = {canonical(value): value for value in values}
    return Choice(tuple(different.values())) if len(different) > 1 else Fixed(values[0])

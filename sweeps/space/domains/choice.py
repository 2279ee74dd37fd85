"""One of some values, of any type; and a value that is fixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sweeps.space.values import canonical, text

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


@dataclass(frozen=True)
class Choice:
    """One of two or more values, no two of them the same, in the order in which a grid runs them.

    Args:
        kept: what the study keeps them as, if it was begun when they had other names.
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
        """What Optuna keeps: values of its own types as they are, others as JSON, which its dashboard shows readably.

        All are JSON where Optuna would take two for one, as it does with 1 and true, or "[1]" and [1].
        """
        kept = self.kept or self.options
        stored = tuple(v if v is None or isinstance(v, bool | int | float | str) else canonical(v) for v in kept)
        return stored if len(set(stored)) == len(stored) else tuple(map(canonical, kept))

    @cached_property
    def _value_of(self) -> dict[str, Any]:
        return {canonical(stored): value for stored, value in zip(self._stored, self.options, strict=True)}


@dataclass(frozen=True)
class Fixed:
    """One value, which is no parameter of the study."""

    value: Any

    size = 1

    def suggest(self, trial: "BaseTrial", name: str) -> Any:
        return self.value

    def params(self, name: str, value: Any) -> dict[str, Any]:
        return {}

    def contains(self, value: Any) -> bool:
        return canonical(value) == canonical(self.value)

    def values(self) -> Sequence[Any]:
        return [self.value]

    def extremes(self) -> list[Any]:
        return [self.value]

    def signature(self) -> dict[str, Any]:
        return {"type": "fixed", "value": self.value}

    def __str__(self) -> str:
        return f"{text(self.value)} alone"


def one_of(values: Sequence[Any]) -> Choice | Fixed:
    """A choice, each value once; a single one is fixed."""
    different = {canonical(value): value for value in values}
    return Choice(tuple(different.values())) if len(different) > 1 else Fixed(values[0])

"""Lists of varying length, such as the dilations of a block."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.space.domains.base import Domain

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


@dataclass(frozen=True)
class ListOf:
    """Lists of min_length to max_length elements, each from the same domain.

    The parameters are the length and max_length elements, of which the first `length` are used. Every trial draws all
    of them: samplers that model parameters jointly (multivariate TPE, GP, CMA-ES) use only parameters that every trial
    has, so they would draw later elements at random if some trials lacked them.
    """

    element: Domain
    min_length: int
    max_length: int

    def suggest(self, trial: "BaseTrial", name: str) -> list[Any]:
        length = self.min_length
        if self.min_length < self.max_length:
            length = trial.suggest_int(_length_name(name), self.min_length, self.max_length)
        elements = [self.element.suggest(trial, f"{name}[{i}]") for i in range(self.max_length)]
        return elements[:length]

    def params(self, name: str, value: list[Any]) -> dict[str, Any]:
        params = {_length_name(name): len(value)} if self.min_length < self.max_length else {}
        unused = [self.element.extremes()[0]] * (self.max_length - len(value))
        for i, element in enumerate([*value, *unused]):
            params |= self.element.params(f"{name}[{i}]", element)
        return params

    def contains(self, value: Any) -> bool:
        return (
            isinstance(value, list)
            and self.min_length <= len(value) <= self.max_length
            and all(self.element.contains(element) for element in value)
        )

    @property
    def size(self) -> int | None:
        size = self.element.size
        return None if size is None else sum(size**length for length in self._lengths())

    def values(self) -> Sequence[list[Any]]:
        elements = self.element.values()
        return [list(value) for n in self._lengths() for value in itertools.product(elements, repeat=n)]

    def extremes(self) -> list[Any]:
        """The shortest list, and as few longest ones as needed to contain every extreme of an element."""
        elements = self.element.extremes()
        num_longest = -(-len(elements) // self.max_length)
        cycle = itertools.cycle(elements)
        longest = [list(itertools.islice(cycle, self.max_length)) for _ in range(num_longest)]
        return ([elements[:1] * self.min_length] if self.min_length < self.max_length else []) + longest

    def signature(self) -> dict[str, Any]:
        lengths = {"min_length": self.min_length, "max_length": self.max_length}
        return {"type": "list", **lengths, "element": self.element.signature()}

    def __str__(self) -> str:
        return f"a list of {self.min_length} to {self.max_length} elements, each {self.element}"

    def _lengths(self) -> range:
        return range(self.min_length, self.max_length + 1)


def _length_name(name: str) -> str:
    return f"len({name})"

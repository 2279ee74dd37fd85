"""What every domain can do. A domain is a set of values and the Optuna parameters that reach them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


class Domain(Protocol):
    """A set of plain values. `str()` describes it in an error sentence, after "allowed is".

    A domain's parameters are the same in every trial, names and distributions alike: Optuna refuses a study whose
    distributions change.
    """

    def suggest(self, trial: "BaseTrial", name: str) -> Any:
        """A value, asked of the trial as one parameter called `name`, or as several whose names begin with it."""

    def params(self, name: str, value: Any) -> dict[str, Any]:
        """The parameters for which `suggest` gives `value`, which the domain contains."""

    def contains(self, value: Any) -> bool: ...

    @property
    def size(self) -> int | None:
        """How many values there are; None if they cannot be counted."""

    def values(self) -> Sequence[Any]:
        """All values, where they can be counted."""

    def extremes(self) -> list[Any]:
        """The values that are checked against the experiment's config before anything runs."""

    def signature(self) -> dict[str, Any]:
        """JSON that is equal for equal domains alone."""

"""The interface of a domain: a set of values, and the Optuna parameters that draw them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


class Domain(Protocol):
    """A set of plain values. `str()` describes it for an error sentence, after "allowed is".

    The parameters of a domain have the same names and distributions in every trial: Optuna refuses a study whose
    distributions change.
    """

    def suggest(self, trial: "BaseTrial", name: str) -> Any:
        """Draw a value from the trial, as one parameter called `name`, or as several whose names begin with `name`."""

    def params(self, name: str, value: Any) -> dict[str, Any]:
        """The parameters for which `suggest` gives `value`. The domain must contain `value`."""

    def contains(self, value: Any) -> bool: ...

    @property
    def size(self) -> int | None:
        """The number of values; None if they cannot be counted."""

    def values(self) -> Sequence[Any]:
        """All values, if they can be counted."""

    def extremes(self) -> list[Any]:
        """The values that are checked against the experiment's config before anything runs."""

    def signature(self) -> dict[str, Any]:
        """JSON that is equal if, and only if, two domains are equal."""

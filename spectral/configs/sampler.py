"""How training batches are drawn: `sampler=NAME`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from spectral.configs.fields import choice, numbers
from spectral.errors import UserError
from spectral.registry import Registry

samplers = Registry("sampler")


def shares(default: Sequence[float] | None) -> Any:
    """A list of class shares, in class order."""
    return numbers(default, min_items=2, at_least=0, at_most=1)


def check_simplex(values: Sequence[float], key: str) -> None:
    """Raise UserError unless class shares sum to 1 within 1e-6."""
    total = sum(values)
    if abs(total - 1) > 1e-6:
        raise UserError(f"{key}={values} sums to {total:.6g}: class shares must sum to 1.")


@samplers.register("spectral.sampler:NaturalSampler")
@dataclass
class NaturalConfig:
    name: str = "natural"


@samplers.register("spectral.sampler:fraction_sampler")
@dataclass
class FractionsConfig:
    name: str = "fractions"
    fractions: Optional[list[float]] = shares(None)  # null: natural sampling

    def check(self, key: str) -> None:
        if self.fractions is not None:
            check_simplex(self.fractions, f"{key}.fractions")


@samplers.register("spectral.sampler:balanced_sampler")
@dataclass
class BalancedConfig:
    name: str = "balanced"


@samplers.register("spectral.sampler:ScheduleSampler")
@dataclass
class ScheduleConfig:
    name: str = "schedule"
    start: str = choice("natural", "natural", "balanced", "fractions")
    end: str = choice("balanced", "natural", "balanced", "fractions")
    start_fractions: Optional[list[float]] = shares(None)
    end_fractions: Optional[list[float]] = shares(None)

    def check(self, key: str) -> None:
        _check_endpoint(self.start, self.start_fractions, f"{key}.start")
        _check_endpoint(self.end, self.end_fractions, f"{key}.end")


def _check_endpoint(kind: str, fractions: Optional[list[float]], key: str) -> None:
    if kind != "fractions":
        if fractions is not None:
            raise UserError(f"{key}_fractions={fractions} is not used by {key}={kind}: set {key}=fractions.")
    elif fractions is None:
        raise UserError(f"{key}=fractions needs {key}_fractions, a list of class shares that sums to 1.")
    else:
        check_simplex(fractions, f"{key}_fractions")

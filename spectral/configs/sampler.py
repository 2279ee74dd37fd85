"""How training batches are drawn: `sampler=NAME`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from spectral.configs.fields import choice, numbers
from spectral.configs.registry import Registry
from spectral.errors import UserError

samplers = Registry("sampler")

TOLERANCE = 1e-9  # of a row; keeps 0.29 * 100 = 28.999... at the 29 that was meant


def shares(default: Sequence[float] | None) -> Any:
    """A list of class shares, in class order."""
    return numbers(default, min_items=2, by_class=True, at_least=0, at_most=1)


def check_simplex(values: Sequence[float], key: str) -> None:
    """Raise UserError unless class shares sum to 1 within 1e-6."""
    total = sum(values)
    if abs(total - 1) > 1e-6:
        raise UserError(f"{key}={values} sums to {total:.6g}: class shares must sum to 1.")


def check_places(fractions: Sequence[float], batch_size: int) -> None:
    """Raise UserError if a class with a share has no row in a batch: it would drop out of training unseen.

    Counts are share * batch_size, floored; the first class with a share takes what remains.
    """
    counts = [math.floor(share * batch_size + TOLERANCE) for share in fractions]
    counts[next(c for c, share in enumerate(fractions) if share > 0)] += batch_size - sum(counts)
    left_out = [share for share, count in zip(fractions, counts, strict=True) if share > 0 and count == 0]
    if left_out:
        least = math.ceil(1 / min(left_out) - TOLERANCE)
        raise UserError(
            f"sampler.fractions={list(fractions)} leaves a class without a place in a batch of {batch_size}: "
            f"a share of {min(left_out):g} needs schedule.batch_size={least} or more."
        )


@samplers.register("spectral.training.sampler:NaturalSampler")
@dataclass
class NaturalConfig:
    name: str = "natural"


@samplers.register("spectral.training.sampler:fraction_sampler")
@dataclass
class FractionsConfig:
    name: str = "fractions"
    fractions: Optional[list[float]] = shares(None)  # null: natural sampling

    def check(self, key: str) -> None:
        if self.fractions is not None:
            check_simplex(self.fractions, f"{key}.fractions")

    def check_batch(self, batch_size: int) -> None:
        if self.fractions is not None:
            check_places(self.fractions, batch_size)


@samplers.register("spectral.training.sampler:balanced_sampler")
@dataclass
class BalancedConfig:
    name: str = "balanced"


@samplers.register("spectral.training.sampler:ScheduleSampler")
@dataclass
class ScheduleSamplerConfig:
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

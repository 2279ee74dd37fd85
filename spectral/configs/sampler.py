"""How training batches are drawn: `sampler=NAME`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spectral.configs.class_lists import in_class_order
from spectral.configs.fields import choice, number, numbers_by_class, written
from spectral.configs.registry import Registry
from spectral.errors import UserError

samplers = Registry("sampler")

TOLERANCE = 1e-9  # of a row; keeps 0.29 * 100 = 28.999... at the 29 that was meant


def fractions_by_class() -> Any:
    """The fraction of each class in a batch, by name or in class order; null by default."""
    return numbers_by_class(None, sum_to_1=True, at_least=0, at_most=1)


def check_places(fractions: Sequence[float], batch_size: int, class_names: Sequence[str] | None = None) -> None:
    """Raise UserError if a class with a fraction has no row in a batch: it would drop out of training unseen.

    Counts are fraction * batch_size, floored; the first class with a fraction takes what remains.

    Args:
        fractions: [K], in class order.
        class_names: [K], for the sentence.
    """
    counts = [math.floor(fraction * batch_size + TOLERANCE) for fraction in fractions]
    counts[next(c for c, fraction in enumerate(fractions) if fraction > 0)] += batch_size - sum(counts)
    left_out = [c for c, count in enumerate(counts) if count == 0 and fractions[c] > 0]
    if left_out:
        rarest = min(left_out, key=lambda c: fractions[c])
        given = dict(zip(class_names, fractions, strict=True)) if class_names else list(fractions)
        raise UserError(
            f"sampler.fractions={written(given)} leaves {class_names[rarest] if class_names else 'a class'} without a "
            f"place in a batch of {batch_size}: a fraction of {fractions[rarest]:g} needs "
            f"schedule.batch_size={math.ceil(1 / fractions[rarest] - TOLERANCE)} or more."
        )


@samplers.register("spectral.training.sampler:NaturalSampler")
@dataclass
class NaturalConfig:
    name: str = "natural"


@samplers.register("spectral.training.sampler:fraction_sampler")
@dataclass
class FractionsConfig:
    name: str = "fractions"
    fractions: Any = fractions_by_class()  # null: natural sampling

    def check_batch(self, batch_size: int, class_names: Sequence[str] | None) -> None:
        """Raise UserError as check_places does; as far as possible if the class names are None."""
        fractions = self.fractions
        if isinstance(fractions, Mapping):
            if class_names is None:
                # Any class may be the first, which takes what remains: the largest that has no row is taken for it.
                falling = sorted(fractions.items(), key=lambda item: (item[1] * batch_size >= 1, -item[1]))
                class_names, fractions = [name for name, _ in falling], [fraction for _, fraction in falling]
            else:
                fractions = in_class_order(self, "sampler", class_names).fractions
        if fractions is not None:
            check_places(fractions, batch_size, class_names)


@samplers.register("spectral.training.sampler:balanced_sampler")
@dataclass
class BalancedConfig:
    name: str = "balanced"


@samplers.register("spectral.training.sampler:power_sampler")
@dataclass
class PowerConfig:
    name: str = "power"
    power: float = number(0.5, at_least=0, at_most=1)  # of each class's share: 0 is balanced, 1 as the survey has them


@samplers.register("spectral.training.sampler:ScheduleSampler")
@dataclass
class ScheduleSamplerConfig:
    name: str = "schedule"
    start: str = choice("natural", "natural", "balanced", "fractions")  # of the first epoch
    end: str = choice("balanced", "natural", "balanced", "fractions")  # of the last epoch
    start_fractions: Any = fractions_by_class()
    end_fractions: Any = fractions_by_class()

    def check(self, key: str) -> None:
        _check_endpoint(self.start, self.start_fractions, f"{key}.start")
        _check_endpoint(self.end, self.end_fractions, f"{key}.end")

    @property
    def moves(self) -> bool:
        """Whether the class shares of the batches change, so that training losses of epochs cannot be compared."""
        return (self.start, self.start_fractions) != (self.end, self.end_fractions)


def _check_endpoint(kind: str, fractions: Any, key: str) -> None:
    if kind != "fractions" and fractions is not None:
        raise UserError(f"{key}_fractions={written(fractions)} is not used by {key}={kind}: set {key}=fractions.")
    if kind == "fractions" and fractions is None:
        raise UserError(f"{key}=fractions needs {key}_fractions, the fraction of each class; they sum to 1.")

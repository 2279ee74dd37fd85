"""Learning-rate schedules by name; each runs over one stage."""

from dataclasses import dataclass

from spectral.configs.fields import number, numbers
from spectral.configs.registry import Registry
from spectral.errors import UserError

lr_schedules = Registry("lr_schedule")


def ends_of_parts(num_epochs: int, num_parts: int) -> list[int]:
    """The epochs, from 1, with which equal parts of a stage end, to whole epochs; the last is that of the stage."""
    return [(2 * num_epochs * part + num_parts) // (2 * num_parts) for part in range(1, num_parts + 1)]


@lr_schedules.register("spectral.training.lr_schedules:constant")
@dataclass
class ConstantConfig:
    """The optimizer's learning rate throughout, after an optional linear warm-up."""

    name: str = "constant"
    warmup_fraction: float = number(0.0, at_least=0, below=1)  # of the stage, with a rate that rises from zero


@lr_schedules.register("spectral.training.lr_schedules:cosine")
@dataclass
class CosineConfig:
    """Half a cosine down to `final_fraction` of the learning rate, once or in cycles (Loshchilov and Hutter 2017)."""

    name: str = "cosine"
    warmup_fraction: float = number(0.05, at_least=0, below=1)  # of the stage, with a rate that rises from zero
    final_fraction: float = number(0.0, at_least=0, at_most=1)  # of the learning rate, at the end of each cycle
    num_cycles: int = number(1, at_least=1)  # equal parts of the stage, of whole epochs, each from the full rate on

    def check_cycles(self, key: str, epochs: int) -> None:
        """Raise UserError if a stage of so many epochs cannot have these cycles."""
        if self.num_cycles > epochs:
            raise UserError(
                f"{key}.num_cycles={self.num_cycles} is more than the {epochs} epochs of a stage: a cycle needs one."
            )
        first = ends_of_parts(epochs, self.num_cycles)[0] / epochs
        if self.warmup_fraction >= first:
            raise UserError(
                f"{key}.warmup_fraction={self.warmup_fraction} leaves nothing of the first of {key}.num_cycles="
                f"{self.num_cycles} cycles: it must be below {first:.3g}."
            )


@lr_schedules.register("spectral.training.lr_schedules:multistep")
@dataclass
class MultistepConfig:
    """Multiply by `factor` when each of these fractions of the stage has passed."""

    name: str = "multistep"
    milestones: list[float] = numbers([0.6, 0.85], above=0, below=1)  # fractions of the stage
    factor: float = number(0.1, above=0, below=1)  # of the learning rate, at each milestone


@lr_schedules.register("spectral.training.lr_schedules:plateau")
@dataclass
class PlateauConfig:
    """Multiply by `factor` when the training loss has not fallen for more than `patience_epochs` epochs."""

    name: str = "plateau"
    factor: float = number(0.5, above=0, below=1)  # of the learning rate, each time
    patience_epochs: int = number(2, at_least=0)  # epochs without a lower training loss that change nothing yet
    final_fraction: float = number(0.01, at_least=0, at_most=1)  # of the learning rate, below which it never falls

    @property
    def first_epoch(self) -> int:
        """The first epoch of a stage, from 1, that may have a lower rate: the first of all sets the loss to beat."""
        return self.patience_epochs + 3

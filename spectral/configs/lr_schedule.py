"""Learning-rate schedules by name; each runs over one stage."""

from dataclasses import dataclass

from spectral.configs.fields import number, numbers
from spectral.configs.registry import Registry

lr_schedules = Registry("lr_schedule")


@lr_schedules.register("spectral.training.lr_schedules:constant")
@dataclass
class ConstantConfig:
    """The optimizer's learning rate throughout, after an optional linear warm-up."""

    name: str = "constant"
    warmup_fraction: float = number(0.0, at_least=0, below=1)  # of the stage, with a rate that rises from zero


@lr_schedules.register("spectral.training.lr_schedules:cosine")
@dataclass
class CosineConfig:
    """Half a cosine down to `final_fraction` of the learning rate (Loshchilov and Hutter 2017, without restarts)."""

    name: str = "cosine"
    warmup_fraction: float = number(0.05, at_least=0, below=1)  # of the stage, with a rate that rises from zero
    final_fraction: float = number(0.0, at_least=0, at_most=1)  # of the learning rate, at the end of the stage


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
    """Multiply by `factor` when the training loss has not fallen for `patience_epochs` epochs."""

    name: str = "plateau"
    factor: float = number(0.5, above=0, below=1)  # of the learning rate, each time
    patience_epochs: int = number(10, at_least=0)  # epochs without a lower training loss
    final_fraction: float = number(0.01, at_least=0, at_most=1)  # of the learning rate, below which it never falls

"""What a training is made of: its stages, and what they share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from spectral.training.lr_schedules import StageSchedule

TRAINING_LOSS = "train/loss"  # the objective that needs no validation split


@dataclass(frozen=True)
class Stage:
    """A built stage of `epochs` epochs of `steps` steps each.

    Args:
        make_loss: gives the loss of an epoch, counted from 0 over the whole run as the sampler counts it: what a loss
            knows of the batches moves with them.
        snapshot_epochs: of the stage, from 1, whose weights are kept as well, each in a folder of its own.
        changes_loss: whether its loss is another one than that of the stage before.
    """

    name: str
    epochs: int
    steps: int
    start: str  # "last" or "best"
    make_loss: Callable[[int], nn.Module]
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    make_lr_schedule: Callable[[torch.optim.Optimizer, int], StageSchedule]
    snapshot_epochs: Sequence[int] = ()
    changes_loss: bool = False

    def __str__(self) -> str:
        """How long it is: "12 epochs of 40 steps"."""
        return f"{self.epochs} epoch{'s' * (self.epochs != 1)} of {self.steps} step{'s' * (self.steps != 1)}"


@dataclass(frozen=True)
class TrainingSettings:
    """What all stages share."""

    seed: int
    objective: str
    maximize: bool
    clip_norm: float | None
    ema_decay: float | None
    patience_epochs: int | None
    keeps_last: bool = False  # the weights of the last epoch, in place of those with the best objective
    mixup_alpha: float | None = None  # see mixup.py; None: spectra are not mixed
    mixup_within: bool = False
    data_digest: str = ""  # of the spectra and their split: a run that continues must find both as they were
    former_data_digest: str | None = None  # of the same, in a checkpoint of an earlier version

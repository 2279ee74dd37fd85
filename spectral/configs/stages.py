"""The stages of training: what is trained on which loss, for how long, from which weights."""

from dataclasses import dataclass, field
from typing import Any, Optional

from spectral.configs.fields import choice, number
from spectral.configs.losses import losses
from spectral.configs.lr_schedule import lr_schedules
from spectral.configs.optimizer import optimizers
from spectral.errors import UserError


@dataclass
class StageConfig:
    """One stage. What is null here is taken from the experiment's own loss, optimizer and lr_schedule."""

    name: str = "train"  # the stage's name in metrics.jsonl
    epochs: int = number(50, at_least=1)  # of the stage
    steps: Optional[int] = number(500, at_least=1)  # steps per epoch; null: one pass through the training split
    start: str = choice("last", "last", "best")  # the weights to start from; optimizer state is always fresh
    loss: Any = None  # a name, or a mapping with a name and options; null: the experiment's
    optimizer: Any = None  # likewise
    lr: Optional[float] = number(None, above=0)  # learning rate, in place of the optimizer's
    lr_schedule: Any = None  # as loss


@dataclass
class ScheduleConfig:
    """A list of stages and what they share."""

    stages: list[StageConfig] = field(default_factory=lambda: [StageConfig()])  # one after another
    batch_size: int = number(160, at_least=1)  # spectra per step
    clip_norm: Optional[float] = number(None, above=0)  # largest gradient norm
    ema_decay: Optional[float] = number(
        None, above=0, below=1
    )  # decay per step of a moving average of the weights, which validation then uses
    mixup_alpha: Optional[float] = number(
        None, at_least=0.01
    )  # mix spectra by shares of Beta(alpha, alpha); null: do not
    mixup_classes: str = choice("across", "across", "within")  # within: spectra are mixed with others of their class
    keep: str = choice("best", "best", "last")  # weights of the epoch with the best objective, or of the last one
    patience_epochs: Optional[int] = number(None, at_least=1)  # a stage ends after as many without a better objective
    num_snapshots: int = number(0, at_least=0)  # keep the weights at the ends of so many equal parts of the last stage

    @property
    def num_epochs(self) -> int:
        """Of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def check(self, key: str) -> None:
        if not self.stages:
            raise UserError(f"{key}.stages=[] is empty: at least one stage is needed.")
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise UserError(f"{key}.stages have the names {names}: each must differ.")
        for i, stage in enumerate(self.stages):
            if i and stage.start == "best" and self.keep == "last":
                raise UserError(
                    f"{key}.stages[{i}].start=best needs {key}.keep=best: with keep=last the weights of the last epoch "
                    "are those that are kept."
                )
            self._check_stage(stage, f"{key}.stages[{i}]")
        if self.num_snapshots > self.stages[-1].epochs:
            raise UserError(
                f"{key}.num_snapshots={self.num_snapshots} is more than {key}.stages[{len(self.stages) - 1}].epochs="
                f"{self.stages[-1].epochs}: allowed is one for each epoch of the last stage."
            )

    def _check_stage(self, stage: StageConfig, key: str) -> None:
        for group in (losses, optimizers, lr_schedules):
            if (node := getattr(stage, group.group)) is not None:
                setattr(stage, group.group, group.typed(node, f"{key}.{group.group}"))

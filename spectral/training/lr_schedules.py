"""Builders of learning-rate schedules, by the fields of spectral.configs.lr_schedule."""

import bisect
import math
from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from spectral.configs.lr_schedule import ends_of_parts


class StageSchedule:
    """A torch scheduler and when it moves: `after_step` is called each step, `after_epoch` each epoch."""

    def __init__(self, scheduler: LRScheduler) -> None:
        self.scheduler = scheduler

    def after_step(self) -> None:
        if not isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step()

    def after_epoch(self, train_loss: float) -> None:
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(train_loss)

    def state_dict(self) -> dict[str, Any]:
        return self.scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.scheduler.load_state_dict(state)


def _by_fraction(optimizer: Optimizer, num_steps: int, multiplier: Callable[[float], float]) -> StageSchedule:
    """The learning rate times `multiplier` of the fraction of the stage that has passed, in [0, 1)."""
    return StageSchedule(LambdaLR(optimizer, lambda step: multiplier(step / max(num_steps, 1))))


def _warm(fraction: float, warmup_fraction: float, num_steps: int) -> float:
    """The factor of a linear warm-up; the first step is one step's share of the way up, never zero."""
    return min(1.0, (fraction + 1 / num_steps) / warmup_fraction) if warmup_fraction else 1.0


def constant(optimizer: Optimizer, num_steps: int, warmup_fraction: float) -> StageSchedule:
    return _by_fraction(optimizer, num_steps, lambda x: _warm(x, warmup_fraction, num_steps))


def cosine(
    optimizer: Optimizer,
    num_steps: int,
    num_epochs: int,
    warmup_fraction: float,
    final_fraction: float,
    num_cycles: int,
) -> StageSchedule:
    """The warm-up is part of the first cycle; the others begin at the full rate, with the first step of an epoch."""
    ends = [end / num_epochs for end in ends_of_parts(num_epochs, num_cycles)]

    def multiplier(x: float) -> float:
        cycle = min(bisect.bisect(ends, x), num_cycles - 1)
        begin = ends[cycle - 1] if cycle else warmup_fraction
        past = max(0.0, min(1.0, (x - begin) / (ends[cycle] - begin)))
        falling = final_fraction + (1 - final_fraction) * 0.5 * (1 + math.cos(math.pi * past))
        return _warm(x, warmup_fraction, num_steps) * falling

    return _by_fraction(optimizer, num_steps, multiplier)


def multistep(optimizer: Optimizer, num_steps: int, milestones: list[float], factor: float) -> StageSchedule:
    return _by_fraction(optimizer, num_steps, lambda x: factor ** sum(x >= milestone for milestone in milestones))


def plateau(optimizer: Optimizer, factor: float, patience_epochs: int, final_fraction: float) -> StageSchedule:
    floors = [group["lr"] * final_fraction for group in optimizer.param_groups]
    return StageSchedule(ReduceLROnPlateau(optimizer, factor=factor, patience=patience_epochs, min_lr=floors))

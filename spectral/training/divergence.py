"""Losses and weights that are no longer finite: where it happened, and what to try."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from spectral.errors import UserError


class NonFiniteLossError(UserError):
    """The loss became infinite or NaN."""


@dataclass(frozen=True)
class FiniteCheck:
    """Looks at an epoch's losses and weights, and reports the first loss that is not finite.

    Losses are looked at some steps after they were made. Meanwhile the learning rate has moved on, and one bad loss has
    made all weights NaN, so neither today's rate nor today's weights say why.

    Args:
        stage: its name.
        kept_in: the folder with the weights that are kept so far; None if no epoch had ended.
    """

    network: nn.Module
    stage: str
    epoch: int
    kept_in: Path | None

    def check_losses(self, losses: Sequence[Tensor], rates: Sequence[float], num_before: int) -> None:
        """Raise NonFiniteLossError for the first loss that is not finite.

        Args:
            losses: of steps one after another.
            rates: the learning rates of the same steps.
            num_before: steps of the epoch before these.
        """
        bad = [i for i, finite in enumerate(torch.stack([*losses]).isfinite().tolist()) if not finite] if losses else []
        if bad:
            cause = (
                "weights are no longer finite either; try a lower optimizer.lr, schedule.clip_norm=1 or another loss"
                if self._broken_weight()
                else "all weights are finite; try another loss or a lower optimizer.lr"
            )
            what = f"the loss became {float(losses[bad[0]])}"
            raise self._error_at(what, num_before + bad[0] + 1, rates[bad[0]], cause)

    def check_weights(self, num_steps: int, rate: float) -> None:
        """Raise NonFiniteLossError if the epoch's last step broke the weights: no loss has followed it.

        Args:
            num_steps: of the epoch.
            rate: the learning rate of the last one.
        """
        if name := self._broken_weight():
            cause = f"weights such as {name} are no longer finite; try a lower optimizer.lr or schedule.clip_norm=1"
            raise self._error_at("the next loss would not be finite", num_steps, rate, cause)

    def _error_at(self, what: str, step: int, rate: float, cause: str) -> NonFiniteLossError:
        kept = f"the weights of an earlier epoch are kept in {self.kept_in}" if self.kept_in else "no epoch had ended"
        return NonFiniteLossError(
            f"{what} in stage {self.stage}, epoch {self.epoch}, step {step}, at a learning rate of {rate:g}: "
            f"{cause}; {kept}."
        )

    def _broken_weight(self) -> str:
        """The name of a weight that is not finite; empty if all are."""
        return next((name for name, p in self.network.named_parameters() if not bool(p.isfinite().all())), "")

"""Losses and weights that are no longer finite: where it happened, and what to try."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from spectral.errors import UserError


class NonFiniteLossError(UserError):
    """The loss became infinite or NaN."""


@dataclass(frozen=True)
class FiniteCheck:
    """Looks at an epoch's losses and weights, and reports the first that is not finite.

    Args:
        stage: its name.
        kept_in: the folder with the weights that are kept so far; None if no epoch had ended.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    stage: str
    epoch: int
    kept_in: Path | None

    def check_losses(self, losses: list[Tensor], num_steps: int) -> None:
        """Raises NonFiniteLossError for the first loss that is not finite; `num_steps` is the last one's number."""
        bad = [i for i, finite in enumerate(torch.stack(losses).isfinite().tolist()) if not finite] if losses else []
        if bad:
            raise self._error_at(f"the loss became {float(losses[bad[0]])}", num_steps - len(losses) + bad[0] + 1)

    def check_weights(self, num_steps: int) -> None:
        """Raises NonFiniteLossError if the epoch's last step, which no loss has followed, broke the weights."""
        if self._broken_weights():
            raise self._error_at("the next loss would not be finite", num_steps)

    def _error_at(self, what: str, step: int) -> NonFiniteLossError:
        kept = f"the weights of an earlier epoch are kept in {self.kept_in}" if self.kept_in else "no epoch had ended"
        return NonFiniteLossError(
            f"{what} in stage {self.stage}, epoch {self.epoch}, step {step}, at a learning rate of "
            f"{self.optimizer.param_groups[0]['lr']:g}: {self._cause()}; {kept}."
        )

    def _cause(self) -> str:
        if broken := self._broken_weights():
            return f"weights are no longer finite ({broken[0]} first); try a lower optimizer.lr or schedule.clip_norm=1"
        return "the weights are finite, so the loss itself overflowed; try another loss or a lower optimizer.lr"

    def _broken_weights(self) -> list[str]:
        return [name for name, p in self.network.named_parameters() if not bool(p.isfinite().all())]

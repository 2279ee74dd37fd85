"""What an exported file computes: from spectra to class probabilities and classes, as one module of tensors.

B batch, S survey channels, L length, K classes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spectral.inputs.inputs import Inputs
from spectral.scoring.decision import Decision


class Graph(nn.Module):
    """Inputs, network and decision rule of a run.

    Args:
        rule: as it was fitted.
    """

    prior_ratio: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(self, inputs: Inputs, network: nn.Module, rule: Decision) -> None:
        super().__init__()
        self.inputs, self.network = inputs, network
        # The most probable class needs no correction of a prior that is 1 for all.
        ratio: Sequence[float] = [1.0] * len(rule.slope) if rule.prior_ratio is None else rule.prior_ratio.tolist()
        # In float64, since the offset of a class that is never to be chosen is the largest such number.
        for name, values in (("prior_ratio", ratio), ("slope", rule.slope), ("offset", rule.offset)):
            self.register_buffer(name, torch.as_tensor(values, dtype=torch.float64))

    def forward(self, flux: Tensor, mask: Tensor, ivar: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Probabilities [B, K] float32 and class indices [B] of flux [B, S, L], mask [B, L] and perhaps ivar."""
        channels, padding = self.inputs(flux, ivar, mask)
        probabilities = torch.softmax(self.network(channels, padding).double(), dim=1)
        return probabilities.float(), (self._corrected(probabilities) * self.slope - self.offset).argmax(dim=1)

    def _corrected(self, probabilities: Tensor) -> Tensor:
        """As Decision.corrected."""
        weighted = probabilities * self.prior_ratio
        total = weighted.sum(dim=1, keepdim=True)
        possible = (self.prior_ratio > 0).double() / (self.prior_ratio > 0).sum().clamp(min=1)
        return torch.where(total > 0, weighted / torch.where(total > 0, total, 1.0), possible)

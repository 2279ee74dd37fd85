"""A network whose class probabilities are averaged over shifts of the spectrum.

B batch, C channels, L length, K classes.

Source: averaging over changed copies of an input, as in Krizhevsky et al. 2012, "ImageNet classification with deep
convolutional neural networks" (NeurIPS), section 4.1.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ShiftAverage(nn.Module):
    """The mean of a network's class probabilities over a spectrum shifted by some pixels, as logits.

    The last pixel is repeated at the end that opens, as in the augmentation `shift`.

    Args:
        shifts: in pixels, towards longer wavelengths if positive; 0 is the spectrum as it is.
    """

    def __init__(self, network: nn.Module, shifts: Sequence[int]) -> None:
        super().__init__()
        self.network, self.shifts = network, list(shifts)
        self.min_pixels = getattr(network, "min_pixels", 1)
        self.receptive_field = getattr(network, "receptive_field", "unknown")

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K], logarithms of probabilities, of flux [B, C, L] with mask [B, L] (True = padding) or None."""
        logs = [self._shifted(flux, mask, by).log_softmax(dim=1) for by in self.shifts]
        return torch.stack(logs).logsumexp(dim=0) - math.log(len(self.shifts))

    def _shifted(self, flux: Tensor, mask: Tensor | None, by: int) -> Tensor:
        if by:
            index = (torch.arange(flux.shape[2], device=flux.device) - by).clamp(0, flux.shape[2] - 1)
            flux, mask = flux[:, :, index], None if mask is None else mask[:, index]
        logits: Tensor = self.network(flux, mask)
        return logits

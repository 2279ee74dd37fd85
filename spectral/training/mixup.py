"""Train on mixtures of two spectra. B batch, C channels, L length.

Zhang, Cisse, Dauphin & Lopez-Paz 2018, mixup: Beyond Empirical Risk Minimization, ICLR, section 2. As in their code one
share is drawn for each batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """A batch whose spectra are `share` of their own and 1 - `share` of their partners'.

    Args:
        channels: [B, C, L].
        padding: [B, L], True where neither of the two has a pixel; None if no pixel is padding.
        partner: class indices [B] of the partners.
        order: of each spectrum [B] the place of its partner in the batch.
    """

    channels: Tensor
    padding: Tensor | None
    partner: Tensor
    share: float
    order: Tensor

    def loss(self, loss: Callable[[Tensor, Tensor], Tensor], logits: Tensor, target: Tensor) -> Tensor:
        """The loss of the mixtures' logits [B, K]: that of both classes, in their shares."""
        return self.share * loss(logits, target) + (1 - self.share) * loss(logits, self.partner)

    def of_both(self, values: Tensor) -> Tensor:
        """Values [B, K] of the batch's spectra as those of its mixtures."""
        return torch.lerp(values[self.order], values, self.share)


def mix(channels: Tensor, padding: Tensor | None, target: Tensor, alpha: float, within: bool) -> Mixture:
    """Mix each spectrum with another of its batch.

    Args:
        alpha: the share is drawn from Beta(alpha, alpha): near 0 or 1 if it is small, even at 1.
        within: partners are of the same class.
    """
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    other = _partners(target, within)
    mixed = torch.lerp(channels[other], channels, share)
    return Mixture(mixed, None if padding is None else padding & padding[other], target[other], share, other)


def _partners(target: Tensor, within: bool) -> Tensor:
    """A random order [B] of the batch; within classes two random orders of each class are put side by side."""
    orders = torch.rand(2, len(target), device=target.device).argsort(dim=1)
    if within:  # by class, and at random within each
        orders = orders.gather(1, target[orders].argsort(dim=1, stable=True))
    other = torch.empty_like(target)
    other[orders[0]] = orders[1]
    return other

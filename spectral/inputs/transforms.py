"""How each spectrum is scaled before a network sees it.

Transforms take flux [B, S, L] of any float type, on any device, and a mask [B, L] bool (True: bad pixel or padding) or
None, and give flux [B, S, L] float32. Statistics are of each spectrum and channel over its good pixels. Masked pixels
come out as 0, and a spectrum without good pixels, or without the spread or size that it would be divided by, as zeros.
"""

import torch
from torch import Tensor, nn


class Transform(nn.Module):
    """Limits, and zeros in masked pixels, around what a subclass computes in `scaled`.

    Args:
        clip: limit of the absolute value after scaling; None: none.
    """

    def __init__(self, clip: float | None = None) -> None:
        super().__init__()
        self.clip = clip

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Scale flux [B, S, L] with mask [B, L] or None."""
        bad = None if mask is None else mask[:, None, :]
        flux = flux.float() if bad is None else flux.float().masked_fill(bad, 0)
        scaled = self.scaled(flux, bad)
        return scaled if self.clip is None else scaled.clamp(-self.clip, self.clip)

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        """Scale flux [B, S, L] float32, 0 where bad [B, 1, L] (or None), to flux [B, S, L], 0 where bad."""
        raise NotImplementedError


class Unchanged(Transform):
    """Flux as it is."""

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        return flux


class Scale(Transform):
    """Flux divided by a constant, in flux units."""

    def __init__(self, factor: float, clip: float | None = None) -> None:
        super().__init__(clip)
        self.factor = factor

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        return flux / self.factor


class Standardize(Transform):
    """(flux - mean) / standard deviation, the latter without Bessel's correction."""

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        good = _good(flux, bad)
        # Powers of ten of flux units differ by source (1e-17 is usual): squares could leave the range of float32.
        flux = _divided(flux, _peak(flux))
        num_good = good.sum(-1, keepdim=True).clamp(min=1)
        mean = flux.sum(-1, keepdim=True) / num_good
        centred = (flux - mean) * good
        deviation = (centred.square().sum(-1, keepdim=True) / num_good).sqrt()
        # What remains of a constant spectrum is the rounding of its mean, not a signal.
        rounding = 8 * torch.finfo(flux.dtype).eps
        return _divided(centred, deviation.where(deviation > rounding, 0))


class Median(Transform):
    """Flux divided by the median of its absolute values (the mean of the middle two of an even number)."""

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        good = _good(flux, bad)
        size = flux.abs().masked_fill(~good, torch.inf).sort(-1).values
        num_good = good.sum(-1, keepdim=True)
        lower, upper = (num_good - 1).clamp(min=0) // 2, (num_good // 2).clamp(max=flux.shape[-1] - 1)
        median = (size.gather(-1, lower) + size.gather(-1, upper)) / 2
        return _divided(flux, median.where(num_good > 0, 0))


class L2(Transform):
    """Flux divided by the square root of the sum of its squares."""

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        flux = _divided(flux, _peak(flux))
        return _divided(flux, flux.square().sum(-1, keepdim=True).sqrt())


def _good(flux: Tensor, bad: Tensor | None) -> Tensor:
    """Good pixels, [B, S, L] bool."""
    return (torch.zeros_like(flux, dtype=torch.bool) if bad is None else bad.expand_as(flux)).logical_not()


def _peak(flux: Tensor) -> Tensor:
    """Largest absolute flux, [B, S, 1]."""
    return flux.abs().amax(-1, keepdim=True)


def _divided(flux: Tensor, size: Tensor) -> Tensor:
    """flux / size, and 0 where size is 0; size is [B, S, 1]."""
    return torch.where(size > 0, flux / size.where(size > 0, 1), 0)

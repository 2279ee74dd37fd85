"""How each spectrum is scaled before a network sees it.

Transforms take flux [B, S, L] of any float type, on any device, and a mask [B, L] bool (True: bad pixel or padding) or
None, and give flux [B, S, L] float32. Statistics are of each spectrum and channel over its good pixels. Masked pixels
come out as 0, and a spectrum without good pixels, or without the spread or size that it would be divided by, as zeros.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from spectral.inputs.quick import ordered
from spectral.inputs.running_max import running_max


class Transform(nn.Module):
    """Limits, and zeros in masked pixels, around what a subclass computes in `scaled`.

    A subclass that must know something of the training spectra names it in `learns` and finds it in `learn`. It is kept
    in model.json, and is then an argument of `__init__`.

    Args:
        clip: limit of the absolute value after scaling; None: none.
    """

    learns: tuple[str, ...] = ()  # arguments of __init__ that are made of the training spectra: [S, L] each

    @classmethod
    def learn(cls, spectra: Iterable[tuple[Any, Any]]) -> dict[str, list[list[float]]]:
        """The arguments that `learns` names.

        Args:
            spectra: flux [n, S, L] and mask [n, L] or None of some training spectra at a time.
        """
        return {}

    def __init__(self, clip: float | None = None) -> None:
        super().__init__()
        self.clip = clip

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Scale flux [B, S, L] with mask [B, L] or None."""
        bad = None if mask is None else mask[:, None, :]
        flux = flux.float() if bad is None else torch.where(bad, 0, flux.float())
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


class SNV(Transform):
    """Standard normal variate of laboratory spectra: (flux - mean) / standard deviation, with Bessel's correction.

    Barnes, Dhanoa & Lister 1989, Applied Spectroscopy 43, 772, equation 1.
    """

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        num_good = _good(flux, bad).sum(-1, keepdim=True)
        freedom = (num_good - 1).clamp(min=0) / num_good.clamp(min=1)
        return Standardize().scaled(flux, bad) * freedom.sqrt()


class RobustZ(Transform):
    """(flux - median) / (1.4826 x median of |flux - median|), which is the standard deviation of normal noise."""

    NORMAL = 1.4826

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        good = _good(flux, bad)
        centred = (flux - _median(flux, good)) * good
        return _divided(centred, self.NORMAL * _median(centred.abs(), good))


class Continuum(Transform):
    """Flux divided by its continuum, see `block_continuum`, and 0 where that is not above 0.

    Args:
        block_pixels: pixels of a block, wider than the lines that are to stay.
    """

    def __init__(self, block_pixels: int = 100, clip: float | None = None) -> None:
        super().__init__(clip)
        self.block_pixels = block_pixels

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        good = _good(flux, bad)
        return _divided(flux, block_continuum(flux, good, self.block_pixels) * good)


def block_continuum(flux: Tensor, good: Tensor, block_pixels: int) -> Tensor:
    """A line through the medians of blocks of pixels, at the blocks' middles; level beyond the first and the last.

    A running median would look at every pixel as often as its window is wide.

    Args:
        flux: [B, S, L].
        good: [B, S, L] bool; a block without good pixels lies on the line between its neighbours.

    Returns:
        [B, S, L], 0 for a spectrum without good pixels.
    """
    length = flux.shape[-1]
    num_blocks = -(-length // block_pixels)
    num_beyond = num_blocks * block_pixels - length
    shape = (*flux.shape[:-1], num_blocks, block_pixels)
    blocks, inside = pad(flux, (0, num_beyond)).view(shape), pad(good, (0, num_beyond)).view(shape)
    medians = _median(blocks, inside).squeeze(-1)
    empty = ~inside.any(-1)
    block = torch.arange(num_blocks, device=flux.device).expand(empty.shape)
    before = running_max(block.masked_fill(empty, -1))
    after = -running_max(-block.masked_fill(empty, num_blocks).flip(-1)).flip(-1)
    # A pixel lies between the middles of two blocks; of those without good pixels, the nearest ones that have some.
    position = (torch.arange(length, device=flux.device) + 0.5) / block_pixels - 0.5
    low = position.floor().long().clamp(0, num_blocks - 1)
    high = position.ceil().long().clamp(0, num_blocks - 1)
    left, right = before[..., low], after[..., high]
    left = torch.where(left < 0, right, left)
    right = torch.where(right >= num_blocks, left, right)
    none = (left >= num_blocks) | (left < 0)
    left, right = left.masked_fill(none, 0), right.masked_fill(none, 0)
    weight = ((position - left) / (right - left).clamp(min=1)).clamp(0, 1)
    line = torch.lerp(medians.gather(-1, left), medians.gather(-1, right), weight.to(flux.dtype))
    return line.masked_fill(none, 0)


class Median(Transform):
    """Flux divided by the median of its absolute values (the mean of the middle two of an even number).

    Args:
        centered: whether the median of the flux is subtracted first; the divisor stays that of the whole flux.
    """

    def __init__(self, centered: bool = False, clip: float | None = None) -> None:
        super().__init__(clip)
        self.centered = centered

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        good = _good(flux, bad)
        size = _median(flux.abs(), good)
        return _divided((flux - _median(flux, good)) * good if self.centered else flux, size)


class L2(Transform):
    """Flux divided by the square root of the sum of its squares."""

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        flux = _divided(flux, _peak(flux))
        return _divided(flux, flux.square().sum(-1, keepdim=True).sqrt())


def _median(values: Tensor, good: Tensor) -> Tensor:
    """Median of the good values [..., L] (the mean of the middle two of an even number) [..., 1]; 0 if none is."""
    in_order = ordered(values.where(good, torch.inf))
    num_good = good.sum(-1, keepdim=True)
    lower, upper = (num_good - 1).clamp(min=0) // 2, (num_good // 2).clamp(max=values.shape[-1] - 1)
    median = (in_order.gather(-1, lower) + in_order.gather(-1, upper)) / 2
    return median.where(num_good > 0, 0)


def _good(flux: Tensor, bad: Tensor | None) -> Tensor:
    """Good pixels, [B, S, L] bool."""
    return (torch.zeros_like(flux, dtype=torch.bool) if bad is None else bad.expand_as(flux)).logical_not()


def _peak(flux: Tensor) -> Tensor:
    """Largest absolute flux, [B, S, 1]."""
    return flux.abs().amax(-1, keepdim=True)


def _divided(flux: Tensor, size: Tensor) -> Tensor:
    """flux / size, and 0 where size is 0; size is [B, S, 1]."""
    return torch.where(size > 0, flux / size.where(size > 0, 1), 0)

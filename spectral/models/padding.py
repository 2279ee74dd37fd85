"""Padding at both ends of spectra of unequal length, carried through a network so that it is exactly invisible.

B batch, C channels, L length. A network opens its input with `open_spectra`, and from there each layer takes its
activations [B, C, 1, L] with `padding` [B, 1, 1, L] (True outside the spectrum; None if no spectrum is padded, and
then nothing here costs anything). Padded activations are zero wherever a convolution reads them, as the zeros of a
'same' convolution at the end of an unpadded spectrum are.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def open_spectra(flux: Tensor, mask: Tensor | None, *, align: bool = True) -> tuple[Tensor, Tensor | None]:
    """Zero the masked pixels and find the padding: what lies outside the first and the last good pixel.

    Args:
        flux: [B, C, L]; any value, also NaN, where masked.
        mask: [B, L] bool, True = bad or padding. Bad pixels inside a spectrum stay in it as zeros.
        align: shift each spectrum so that it begins at the first position. Pooling then cuts it into the same windows
            whatever precedes it, so that padding is as invisible at the blue end as at the red end. False keeps each
            pixel at its wavelength, for heads that weigh positions.

    Returns:
        flux [B, C, 1, L], and its padding [B, 1, 1, L] or None.
    """
    if mask is None:
        return flux.unsqueeze(2), None
    flux = flux.masked_fill(mask.unsqueeze(1), 0)
    position = torch.arange(mask.shape[1], device=mask.device, dtype=torch.int32)
    start = position.masked_fill(mask, mask.shape[1]).amin(dim=1, keepdim=True)
    stop = (position + 1).masked_fill(mask, 0).amax(dim=1, keepdim=True)
    if align:
        # Asking whether a spectrum moves would hold up the queue of a GPU, and cut a compiled graph in two.
        if torch.compiler.is_compiling() or mask.device.type != "cpu" or bool(start.any()):
            source = (position + start).long() % mask.shape[1]
            flux = flux.gather(2, source.unsqueeze(1).expand_as(flux))
        start, stop = torch.zeros_like(start), stop - start
    padding = (position < start) | (position >= stop)
    return flux.unsqueeze(2), padding[:, None, None, :]


def zero_padding(x: Tensor, padding: Tensor | None) -> Tensor:
    """Zero the padding of activations [B, C, 1, L]."""
    return x if padding is None else x.masked_fill(padding, 0)


def pool_by_two(x: Tensor, padding: Tensor | None, kind: str) -> tuple[Tensor, Tensor | None]:
    """Pool [B, C, 1, L] by 2 to [B, C, 1, L // 2], by 'max' or 'average'.

    A window counts only if it lies wholly inside the spectrum, so an odd last position is dropped, padded or not.
    """
    # On a CPU the two halves, one step apart, are averaged in a tenth of the time of F.avg_pool2d, to the same bits.
    pooled = F.max_pool2d(x, (1, 2)) if kind == "max" else (x[..., :-1:2] + x[..., 1::2]) / 2
    if padding is None:
        return pooled, None
    padding = halve(padding)
    return zero_padding(pooled, padding), padding


def halve(padding: Tensor | None) -> Tensor | None:
    """The padding of positions pooled by 2: [B, 1, 1, L] to [B, 1, 1, L // 2]."""
    return None if padding is None else padding[..., :-1:2] | padding[..., 1::2]


def bounds(padding: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """The first position inside each spectrum and the first one after it, each int32 [B]; None if none is padded."""
    if padding is None:
        return None
    inside = (~padding).flatten(1)
    start = inside.int().argmax(dim=1)
    return start.int(), (start + inside.sum(dim=1)).int()


def num_valid(x: Tensor, padding: Tensor | None) -> Tensor | int:
    """Positions inside each spectrum, [B, 1] (at least 1, to divide by), or L where nothing is padded."""
    return x.shape[3] if padding is None else (~padding).sum(dim=(2, 3)).clamp(min=1)


def average(x: Tensor, padding: Tensor | None) -> Tensor:
    """Mean over the positions inside each spectrum: [B, C, 1, L], zero in the padding, to [B, C]."""
    return x.sum(dim=(2, 3)) / num_valid(x, padding)

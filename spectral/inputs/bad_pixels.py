"""Bad pixels within a spectrum, put on the line between their good neighbours. B batch, S channels, L length."""

import torch
from torch import Tensor

from spectral.inputs.running_max import running_max


def fill_bad_pixels(flux: Tensor, bad: Tensor) -> Tensor:
    """Put each bad pixel on the line between its good neighbours, looking at the bad pixels alone.

    Args:
        flux: [B, S, L].
        bad: [B, L] bool; each run of bad pixels has a good one on either side.
    """
    row, column = bad.nonzero(as_tuple=True)
    if not len(row):
        return flux
    # A run of bad pixels begins at one that does not follow the bad pixel before it.
    begins = torch.ones_like(row, dtype=torch.bool)
    begins[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1] + 1)
    ends = torch.ones_like(begins)
    ends[:-1] = begins[1:]
    run = begins.cumsum(0) - 1
    left, right = column[begins][run] - 1, column[ends][run] + 1
    weight = ((column - left) / (right - left)).to(flux.dtype)
    filled = flux.clone()
    filled[row, :, column] = torch.lerp(flux[row, :, left], flux[row, :, right], weight[:, None])
    return filled


def fill_every_pixel(flux: Tensor, bad: Tensor) -> Tensor:
    """The same, by operations on all pixels, which never wait for the device."""
    before, after = good_neighbours(bad)
    position = torch.arange(bad.shape[1], device=bad.device)
    weight = ((position - before) / (after - before).clamp(min=1))[:, None].to(flux.dtype)
    left, right = (flux.gather(2, i[:, None].expand_as(flux)) for i in (before, after))
    return torch.lerp(left, right, weight)


def good_neighbours(bad: Tensor) -> tuple[Tensor, Tensor]:
    """The last good pixel up to each pixel and the first good one from it on: two tensors [B, L] int64.

    Args:
        bad: [B, L] bool; each run of bad pixels has a good one on either side. A good pixel is its own neighbour.
    """
    length = bad.shape[1]
    position = torch.arange(length, device=bad.device).expand(bad.shape)
    before = running_max(position.masked_fill(bad, 0))
    after = -running_max(-position.masked_fill(bad, length - 1).flip(1)).flip(1)
    return before, after

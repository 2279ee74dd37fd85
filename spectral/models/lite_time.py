"""LITE, one member of the ensemble LITETime. B batch, C channels, F filters, L length, K classes.

Source: Ismail-Fawaz, Devanne, Berretti, Weber and Forestier 2023, "LITE: Light Inception with boosTing tEchniques for
time series classification" (DSAA; longer in arXiv 2409.02869), and its code (github.com/MSD-IRIMAS/LITE). The fixed
filters are of Ismail-Fawaz et al. 2022, "Deep learning for time series classification using new hand-crafted
convolution filters" (IEEE Big Data).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from spectral.models.blocks import Conv, Dropout, glorot_
from spectral.models.heads import Head
from spectral.models.norms import BatchNorm
from spectral.models.padding import open_spectra, zero_padding
from spectral.models.receptive_field import ReceptiveField, in_parallel, in_series

ALTERNATING_SIZES = (2, 4, 8, 16, 32, 64)  # of the filters for increase, and of those for decrease
PEAK_SIZES = (6, 12, 24, 48, 96)
NUM_FIXED = 2 * len(ALTERNATING_SIZES) + len(PEAK_SIZES)


class FixedFilters(Conv):
    """ReLU of filters for increase, decrease and peaks, which are never trained: [B, C, 1, L] to [B, 17, 1, L].

    Each filter is the same in all channels, as published, so that it reads their sum. Filters for increase are those
    for decrease with the other sign, so that only these are computed.
    """

    def __init__(self) -> None:
        super().__init__(1, NUM_FIXED - len(ALTERNATING_SIZES), max(PEAK_SIZES), bias=False)
        # A buffer has no gradient and no optimizer, and is made here again, whatever a file of weights holds.
        del self.weight
        self.register_buffer("weight", fixed_filters(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        found = super().forward(x.sum(dim=1, keepdim=True))
        return torch.relu(torch.cat([-found[:, : len(ALTERNATING_SIZES)], found], dim=1))


class LiteModule(nn.Module):
    """Kernels of three sizes next to the fixed filters, normalisation, ReLU: [B, C, 1, L] to [B, 3F + 17, 1, L]."""

    def __init__(self, num_in: int, num_filters: int, kernel_size: int) -> None:
        super().__init__()
        sizes = (kernel_size, kernel_size // 2, kernel_size // 4)
        self.convs = nn.ModuleList(Conv(num_in, num_filters, size, bias=False) for size in sizes)
        self.fixed = FixedFilters()
        self.num_out = len(sizes) * num_filters + NUM_FIXED
        self.norm = BatchNorm(self.num_out)
        self.reach = in_parallel([*self.convs, self.fixed])

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        found = torch.cat([*(conv(x) for conv in self.convs), self.fixed(x)], dim=1)
        return zero_padding(torch.relu(self.norm(found, padding)), padding)


class DepthwiseConv(nn.Conv2d):
    """Dilated convolution of each channel by itself that keeps the length: [B, C, 1, L] to same.

    Positions `step` apart are brought below each other, where the kernel needs no dilation: of dilated depthwise
    convolutions CPUs have slow kernels only.
    """

    def __init__(self, num_channels: int, kernel_size: int, step: int) -> None:
        super().__init__(num_channels, num_channels, (kernel_size, 1), groups=num_channels, bias=False)
        self.step = step
        span = step * (kernel_size - 1)
        self.reach = ReceptiveField(span // 2, span - span // 2)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[3]
        x = functional.pad(x, (int(self.reach.left), int(self.reach.right) + -length % self.step))
        below: Tensor = super().forward(torch.unflatten(x, 3, (-1, self.step)).squeeze(2))
        return below.flatten(2).unsqueeze(2)[..., :length]


class SeparableLayer(nn.Module):
    """Convolution of each channel by itself, then across channels, normalisation, ReLU: [B, C, 1, L] to [B, F, 1, L].

    A depthwise-separable convolution (Chollet 2017, "Xception", section 2).
    """

    def __init__(self, num_in: int, num_filters: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv(num_in, kernel_size, dilation)
        self.pointwise = Conv(num_in, num_filters, 1, bias=False)
        self.norm = BatchNorm(num_filters)
        self.reach = self.depthwise.reach

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        x = self.norm(self.pointwise(self.depthwise(x)), padding)
        return zero_padding(torch.relu(x), padding)


class LiteTime(nn.Module):
    """Trained and fixed filters side by side, two depthwise-separable convolutions, global average, logits.

    Args:
        num_filters: filters of each trained kernel of the first layer, and of each layer after it.
        kernel_size: longest trained kernel of the first layer; the others have a half and a quarter of it.
        dropout: rate before the head; the paper has none.
        num_channels, num_classes: C, K.
    """

    def __init__(
        self, *, num_filters: int, kernel_size: int, dropout: float, num_channels: int, num_classes: int
    ) -> None:
        super().__init__()
        first = LiteModule(num_channels, num_filters, kernel_size)
        second = SeparableLayer(first.num_out, num_filters, kernel_size // 2, dilation=2)
        third = SeparableLayer(num_filters, num_filters, kernel_size // 4, dilation=4)
        self.layers = nn.ModuleList([first, second, third])
        self.dropout = Dropout(dropout)
        self.head = Head("average", num_filters, num_classes)
        self.receptive_field = in_series(self.layers).num_inputs
        glorot_(self)

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K] of flux [B, C, L] with mask [B, L] (True = padding) or None."""
        x, padding = open_spectra(flux, mask)
        for layer in self.layers:
            x = layer(x, padding)
        logits: Tensor = self.head(self.dropout(x), padding)
        return logits


def fixed_filters() -> Tensor:
    """Filters for decrease and for peaks, each in the middle of zeros, [11, 1, 1, 96]."""
    filters = [torch.tensor([1.0, -1.0]).repeat(size // 2) for size in ALTERNATING_SIZES]
    filters += [peak_filter(size) for size in PEAK_SIZES]
    margins = [(max(PEAK_SIZES) - len(values)) // 2 for values in filters]
    padded = [functional.pad(values, (margin, margin)) for values, margin in zip(filters, margins, strict=True)]
    return torch.stack(padded)[:, None, None]


def peak_filter(size: int) -> Tensor:
    """A bump between two of half its height and the other sign, [size]; parabolas up to the middle of each bump."""
    rise = (torch.arange(1, size // 6 + 1) / (size // 6)).square()
    bump = torch.cat([rise, rise.flip(0)])
    return torch.cat([-bump, 2 * bump, -bump])

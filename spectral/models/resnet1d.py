"""Residual network for series. B batch, C channels, F filters, L length, K classes.

Source: Wang, Yan and Oates 2017, "Time series classification from scratch with deep neural networks", section III-C,
in the form of Fawaz et al. 2019 (github.com/hfawaz/dl-4-tsc): kernels 8, 5, 3 and batch normalisation in shortcuts.
"""

import torch
from torch import Tensor, nn

from spectral.models.blocks import Dropout, glorot_
from spectral.models.conv_norm import ConvNorm
from spectral.models.heads import Head
from spectral.models.norms import BatchNorm
from spectral.models.padding import open_spectra, zero_padding
from spectral.models.receptive_field import in_series


class ResidualBlock(nn.Module):
    """Convolutions of one width, to whose last, before its ReLU, the input is added: [B, C, 1, L] to [B, F, 1, L].

    The input is batch-normalised on its way, after a 1x1 convolution where C is not F.
    """

    def __init__(self, num_in: int, num_filters: int, kernel_sizes: list[int]) -> None:
        super().__init__()
        last = len(kernel_sizes) - 1
        self.layers = nn.ModuleList(
            ConvNorm(num_filters if i else num_in, num_filters, kernel_size, relu=i < last)
            for i, kernel_size in enumerate(kernel_sizes)
        )
        same = num_in == num_filters
        self.shortcut = BatchNorm(num_in) if same else ConvNorm(num_in, num_filters, 1, relu=False)
        self.reach = in_series(self.layers)

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        shortcut = self.shortcut(x, padding)
        for layer in self.layers:
            x = layer(x, padding)
        return zero_padding(torch.relu(x + shortcut), padding)


class ResNet1d(nn.Module):
    """Residual blocks, global average, logits.

    Args:
        widths: filters of each block.
        kernel_sizes: kernels of the convolutions of every block.
        dropout: rate before the head; the paper has none.
        num_channels, num_classes: C, K.
    """

    def __init__(
        self, *, widths: list[int], kernel_sizes: list[int], dropout: float, num_channels: int, num_classes: int
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(num_in, num_filters, kernel_sizes)
            for num_in, num_filters in zip([num_channels, *widths[:-1]], widths, strict=True)
        )
        self.dropout = Dropout(dropout)
        self.head = Head("average", widths[-1], num_classes)
        self.receptive_field = in_series(self.blocks).num_inputs
        glorot_(self)

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K] of flux [B, C, L] with mask [B, L] (True = padding) or None."""
        x, padding = open_spectra(flux, mask)
        for block in self.blocks:
            x = block(x, padding)
        logits: Tensor = self.head(self.dropout(x), padding)
        return logits

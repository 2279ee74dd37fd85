"""Fully convolutional network. B batch, C channels, L length, K classes.

Source: Wang, Yan and Oates 2017, "Time series classification from scratch with deep neural networks", section III-B,
in the form of Fawaz et al. 2019 (github.com/hfawaz/dl-4-tsc).
"""

from torch import Tensor, nn

from spectral.models.blocks import Dropout, glorot_
from spectral.models.conv_norm import ConvNorm
from spectral.models.heads import Head
from spectral.models.padding import open_spectra
from spectral.models.receptive_field import in_series


class FCN(nn.Module):
    """Convolutions with batch normalisation and ReLU, global average, logits.

    Args:
        widths, kernel_sizes: filters and kernel of each convolution.
        dropout: rate before the head; the paper has none.
        num_channels, num_classes: C, K.
    """

    def __init__(
        self, *, widths: list[int], kernel_sizes: list[int], dropout: float, num_channels: int, num_classes: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            ConvNorm(num_in, num_out, kernel_size)
            for num_in, num_out, kernel_size in zip([num_channels, *widths[:-1]], widths, kernel_sizes, strict=True)
        )
        self.dropout = Dropout(dropout)
        self.head = Head("average", widths[-1], num_classes)
        self.receptive_field = in_series(self.layers).num_inputs
        glorot_(self)

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K] of flux [B, C, L] with mask [B, L] (True = padding) or None."""
        x, padding = open_spectra(flux, mask)
        for layer in self.layers:
            x = layer(x, padding)
        logits: Tensor = self.head(self.dropout(x), padding)
        return logits

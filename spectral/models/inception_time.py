"""InceptionTime, one member of the paper's ensemble. B batch, C channels, F filters, L length, K classes.

Source: Fawaz et al. 2020, "InceptionTime: finding AlexNet for time series classification", section 3, and its code
(github.com/hfawaz/InceptionTime).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from spectral.models.blocks import Conv, Dropout, glorot_
from spectral.models.conv_norm import ConvNorm
from spectral.models.heads import Head
from spectral.models.norms import BatchNorm
from spectral.models.padding import open_spectra, zero_padding
from spectral.models.receptive_field import NEIGHBOURS, in_parallel, in_series

MODULES_A_SHORTCUT = 3


class InceptionModule(nn.Module):
    """A bottleneck read by kernels of several sizes, next to a max pool: [B, C, 1, L] to [B, F, 1, L].

    F is num_filters * (len(kernel_sizes) + 1). Figure 2 of the paper.
    """

    def __init__(self, num_in: int, num_filters: int, kernel_sizes: list[int], bottleneck: int) -> None:
        super().__init__()
        # As in the authors' code, a single channel needs no bottleneck.
        narrow = bottleneck > 0 and num_in > 1
        self.bottleneck = Conv(num_in, bottleneck, 1, bias=False) if narrow else nn.Identity()
        num_read = bottleneck if narrow else num_in
        self.convs = nn.ModuleList(Conv(num_read, num_filters, size, bias=False) for size in kernel_sizes)
        self.after_pool = Conv(num_in, num_filters, 1, bias=False)
        self.norm = BatchNorm(num_filters * (len(kernel_sizes) + 1))
        self.reach = in_parallel(self.convs) | NEIGHBOURS  # of the pool

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        narrow = self.bottleneck(x)
        outputs = [conv(narrow) for conv in self.convs]
        outputs.append(self.after_pool(max_of_three(x, padding)))
        return zero_padding(torch.relu(self.norm(torch.cat(outputs, dim=1), padding)), padding)


class InceptionTime(nn.Module):
    """Inception modules with a shortcut over every three, global average, logits.

    Args:
        num_filters: filters of each branch.
        depth: number of modules.
        kernel_sizes: kernels side by side; the paper's 10, 20, 40.
        bottleneck: channels that the kernels read; 0 leaves the bottleneck out.
        residual: whether there are shortcuts.
        dropout: rate before the head; the paper has none.
        num_channels, num_classes: C, K.
    """

    def __init__(
        self,
        *,
        num_filters: int,
        depth: int,
        kernel_sizes: list[int],
        bottleneck: int,
        residual: bool,
        dropout: float,
        num_channels: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        width = num_filters * (len(kernel_sizes) + 1)
        inputs = [num_channels] + [width] * (depth - 1)
        self.inceptions = nn.ModuleList(InceptionModule(n, num_filters, kernel_sizes, bottleneck) for n in inputs)
        starts = inputs[::MODULES_A_SHORTCUT][: depth // MODULES_A_SHORTCUT] if residual else []
        self.shortcuts = nn.ModuleList(ConvNorm(num_in, width, 1, relu=False) for num_in in starts)
        self.dropout = Dropout(dropout)
        self.head = Head("average", width, num_classes)
        self.receptive_field = in_series(self.inceptions).num_inputs
        glorot_(self)

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K] of flux [B, C, L] with mask [B, L] (True = padding) or None."""
        x, padding = open_spectra(flux, mask)
        start = x
        for i, inception in enumerate(self.inceptions, start=1):
            x = inception(x, padding)
            if i % MODULES_A_SHORTCUT == 0 and self.shortcuts:
                shortcut = self.shortcuts[i // MODULES_A_SHORTCUT - 1]
                start = x = torch.relu(x + shortcut(start, padding))
        logits: Tensor = self.head(self.dropout(x), padding)
        return logits


def max_of_three(x: Tensor, padding: Tensor | None) -> Tensor:
    """Maximum over each position and its neighbours inside the spectrum, [B, C, 1, L] to same."""
    if padding is not None:
        x = x.masked_fill(padding, -torch.inf)
    return zero_padding(functional.max_pool2d(x, (1, 3), stride=1, padding=(0, 1)), padding)

"""The layer of the batch-normalised networks. B batch, C channels in, F filters, L length."""

import torch
from torch import Tensor, nn

from spectral.models.blocks import Conv
from spectral.models.norms import BatchNorm
from spectral.models.padding import zero_padding


class ConvNorm(nn.Module):
    """Convolution and batch normalisation, then ReLU unless `relu` is False: [B, C, 1, L] to [B, F, 1, L].

    The convolution has no bias, since the normalisation would take it away again.
    """

    def __init__(self, num_in: int, num_out: int, kernel_size: int, *, relu: bool = True) -> None:
        super().__init__()
        self.conv = Conv(num_in, num_out, kernel_size, bias=False)
        self.norm = BatchNorm(num_out)
        self.relu = relu
        self.reach = self.conv.reach

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        x = self.norm(self.conv(x), padding)
        return zero_padding(torch.relu(x) if self.relu else x, padding)

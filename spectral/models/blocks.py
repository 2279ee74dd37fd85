"""The parts that networks are built of, each with its `reach`. B batch, C channels in, F filters, L length.

A convolution along the wavelength is a Conv2d of height 1 on [B, C, 1, L]: channels_last memory and bfloat16 then
take the fast kernels of CPU and GPU alike.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from spectral.models.norms import make_norm
from spectral.models.padding import average, zero_padding
from spectral.models.receptive_field import WHOLE, ReceptiveField, in_parallel, in_series


class Conv(nn.Conv2d):
    """Convolution along the wavelength that keeps the length: [B, C, 1, L] to [B, F, 1, L].

    An even kernel reads one pixel more to the right than to the left, as in Keras. A single channel gets a second one
    of zeros next to it: the sums are the same, and kernels for one channel are several times slower.
    """

    def __init__(self, num_in: int, num_out: int, kernel_size: int, *, dilation: int = 1, bias: bool = True) -> None:
        span = dilation * (kernel_size - 1)
        super().__init__(num_in, num_out, (1, kernel_size), dilation=(1, dilation), padding=(0, span // 2), bias=bias)
        self.right_padding = span % 2
        self.reach = ReceptiveField(span // 2, span - span // 2)
        self.layout: Tensor | None
        # The weights of one channel look the same in every layout; this shows which one the network was brought to.
        self.register_buffer("layout", torch.zeros(1, 2, 1, 2) if num_in == 1 else None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, (0, self.right_padding)) if self.right_padding else x
        weight: Tensor = self.weight
        if self.layout is not None:
            is_last = self.layout.is_contiguous(memory_format=torch.channels_last)
            x = _two_channels(x).contiguous(memory_format=torch.channels_last if is_last else torch.contiguous_format)
            weight = _two_channels(weight)
        if self.dilation == (1, 1) and _is_miscomputed(x, weight):
            x, weight = functional.pad(x, (0, 1)), functional.pad(weight, (0, 1))
        convolved: Tensor = self._conv_forward(x, weight, self.bias)
        return convolved


def _is_miscomputed(x: Tensor, weight: Tensor) -> bool:
    """Whether a CPU with AMX gives wrong sums for this convolution in bfloat16; one more tap, of zeros, avoids it.

    Met in oneDNN as torch 2.13 has it, by a scan against float64: docs/lab-notebook.md.
    """
    num_in, num_taps = weight.shape[1], weight.shape[3]
    is_affected = num_in < 16 and num_in * num_taps % 32 == 0
    return is_affected and x.device.type == "cpu" and torch.is_autocast_enabled("cpu")


def _two_channels(x: Tensor) -> Tensor:
    """[B, 1, 1, L] to [B, 2, 1, L]."""
    return functional.pad(x, (0, 0, 0, 0, 0, 1))


class MultiKernelConv(nn.Module):
    """Convolutions of several kernel sizes on one input, their outputs concatenated: [B, C, 1, L] to [B, F, 1, L].

    The F filters are shared out among the sizes as evenly as they go, so the width does not depend on their number.
    """

    def __init__(self, num_in: int, num_out: int, kernel_sizes: list[int], *, dilation: int, bias: bool) -> None:
        super().__init__()
        share, rest = divmod(num_out, len(kernel_sizes))
        self.convs = nn.ModuleList(
            Conv(num_in, share + (i < rest), kernel_size, dilation=dilation, bias=bias)
            for i, kernel_size in enumerate(kernel_sizes)
        )
        self.reach = in_parallel(self.convs)

    def forward(self, x: Tensor) -> Tensor:
        outputs = [conv(x) for conv in self.convs]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)


def relu_halves_sum(x: Tensor) -> Tensor:
    """ReLU, then the first half of the channels plus the second half: [B, 2F, 1, L] to [B, F, 1, L]."""
    x = torch.relu(x)
    if _rows_are_short(x):
        # The same sum, rounded once all the same, as a product with two identity matrices below each other.
        halves = torch.eye(x.shape[1] // 2, dtype=x.dtype).repeat(2, 1)
        return (x.permute(0, 2, 3, 1) @ halves).permute(0, 3, 1, 2)
    # The backward of chunk is one concatenation; slices would fill and add two tensors of zeros.
    first, second = x.chunk(2, dim=1)
    return first + second


def _rows_are_short(x: Tensor) -> bool:
    """Whether half the channels of a position fill less than a vector register, so that CPUs add them one by one."""
    is_last = x.is_contiguous(memory_format=torch.channels_last)
    return is_last and x.dtype == torch.bfloat16 and x.device.type == "cpu" and x.shape[1] < 64


class HalvesSumLayer(nn.Module):
    """Convolution to 2F filters, normalisation, ReLU, sum of the two halves: [B, C, 1, L] to [B, F, 1, L]."""

    def __init__(self, num_in: int, num_filters: int, kernel_sizes: list[int], *, dilation: int, norm: str) -> None:
        super().__init__()
        self.conv = MultiKernelConv(num_in, 2 * num_filters, kernel_sizes, dilation=dilation, bias=norm != "batch")
        self.norm = make_norm(norm, 2 * num_filters)
        self.reach = in_series([self.conv, self.norm])

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        return zero_padding(relu_halves_sum(self.norm(self.conv(x), padding)), padding)


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate from the channels' averages (Hu et al. 2018, eq. 2 to 4): [B, F, 1, L] to same."""

    reach = WHOLE

    def __init__(self, num_filters: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, num_filters // reduction)
        self.squeeze, self.excite = nn.Linear(num_filters, hidden), nn.Linear(hidden, num_filters)

    def forward(self, x: Tensor, padding: Tensor | None) -> Tensor:
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(average(x, padding)))))
        return x * gate[:, :, None, None].to(x.dtype)


class Dropout(nn.Module):
    """Dropout of whole positions ('timestep', all channels at once), whole channels ('channel'), or 'element's."""

    def __init__(self, rate: float, kind: str = "element") -> None:
        super().__init__()
        self.rate, self.kind = rate, kind

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "element" or not self.training:
            return functional.dropout(x, self.rate, self.training)
        B, F, _, L = x.shape
        shape = (B, 1, 1, L) if self.kind == "timestep" else (B, F, 1, 1)
        return x * functional.dropout(x.new_ones(shape), self.rate)


def glorot_(network: nn.Module) -> None:
    """Initial weights as Keras draws them: Glorot uniform, zero bias, in every trained convolution and dense layer."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)) and isinstance(module.weight, nn.Parameter):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

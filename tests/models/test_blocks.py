"""The fast computations of the blocks against the plain ones."""

import pytest
import torch
from torch.nn import functional as F

from spectral.models.blocks import Conv, relu_halves_sum


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize(("kernel_size", "dilation"), [(1, 1), (3, 4), (4, 1)])
def test_convolution_of_one_channel(layout, kernel_size, dilation):
    conv = Conv(1, 5, kernel_size, dilation=dilation).double().to(memory_format=layout)
    x = torch.randn(4, 1, 1, 37, dtype=torch.float64)
    left = dilation * (kernel_size - 1) // 2
    padded = F.pad(x.squeeze(2), (left, dilation * (kernel_size - 1) - left))
    expected = F.conv1d(padded, conv.weight.squeeze(2), conv.bias, dilation=dilation)
    found = conv(x)
    torch.testing.assert_close(found.squeeze(2), expected)
    assert found.is_contiguous(memory_format=layout)
    assert list(conv.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize(
    ("num_in", "kernel_size"), [(1, 32), (4, 8), (4, 16), (8, 8), (8, 12), (12, 8), (16, 8), (3, 5)]
)
def test_convolution_in_bfloat16_is_right_to_rounding(num_in, kernel_size, dilation):
    """The rounding error has a bound; on a CPU with AMX some of these results are noise.

    A sum of n products has n partial sums. The k-th is about sqrt(k / n) of the whole, and a processor that keeps it in
    bfloat16 moves it by at most the unit roundoff u. Their errors are independent, so that of the whole is at most
    u * sqrt(1 / n + ... + n / n), about u * sqrt(n / 2), in root mean square; most processors round less often.
    """
    conv = Conv(num_in, 8, kernel_size, dilation=dilation, bias=False).to(memory_format=torch.channels_last)
    x = torch.randn(3, num_in, 1, 80).bfloat16().float().contiguous(memory_format=torch.channels_last)
    conv.weight.data = conv.weight.data.bfloat16().float()
    x.requires_grad_()
    expected = conv(x)
    slope = torch.randn_like(expected).bfloat16().float()
    gradients = torch.autograd.grad(expected, (x, conv.weight), slope)
    with torch.autocast("cpu", torch.bfloat16):
        found = conv(x)
    assert found.shape == expected.shape
    rounded = torch.autograd.grad(found, (x, conv.weight), slope.bfloat16())
    num_terms = (num_in * kernel_size, 8 * kernel_size, x.shape[0] * x.shape[3])
    for n, right, quick in zip(num_terms, (expected, *gradients), (found, *rounded), strict=True):
        unit_roundoff = torch.finfo(torch.bfloat16).eps / 2
        assert (quick - right).norm() <= unit_roundoff * ((n + 1) / 2) ** 0.5 * right.norm()


@pytest.mark.parametrize("num_filters", [1, 5, 16, 31, 32, 40])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_error_of_sum_of_halves_is_that_of_a_plain_sum(num_filters, layout, dtype):
    x = torch.randn(3, 2 * num_filters, 1, 19).to(dtype).contiguous(memory_format=layout).requires_grad_()
    first, second = x.relu()[:, :num_filters], x.relu()[:, num_filters:]
    expected, found = first + second, relu_halves_sum(x)
    assert torch.equal(found, expected)
    gradient = torch.randn(found.shape).to(dtype)
    assert torch.equal(*(torch.autograd.grad(y, x, gradient)[0] for y in (found, expected)))

"""Operations for which PyTorch is slow on the CPU, by ways that give the same numbers or differ from them by rounding.

PyTorch's own are taken on other devices, in an exported graph, and where a gradient is asked for.
"""

import numpy as np
import torch
from torch import Tensor


def ordered(x: Tensor) -> Tensor:
    """The values of the last axis in ascending order. NumPy sorts with vector instructions, in a tenth of the time."""
    return torch.from_numpy(np.sort(x.numpy(), axis=-1)) if _is_free(x) else x.sort(-1).values


def arcsinh(x: Tensor) -> Tensor:
    """asinh(x), which PyTorch computes number by number; square root and logarithm are vector instructions."""
    if not _is_free(x):
        return torch.asinh(x)
    size = x.abs()
    # Near 0 as exact as elsewhere: sqrt(1 + size^2) - 1 would lose its digits. Above 1e18 the square is infinite.
    small = size.clamp(max=1e9)
    result = torch.log1p(small + small * (small / (1 + (1 + small * small).sqrt())))
    return (result + (size / small.clamp(min=1)).clamp(min=1).log()).copysign(x)


def _is_free(x: Tensor) -> bool:
    """Whether nothing but the numbers is wanted, on the CPU."""
    return x.device.type == "cpu" and not x.requires_grad and not torch.compiler.is_compiling()

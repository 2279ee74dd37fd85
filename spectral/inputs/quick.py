"""Operations for which PyTorch is slow on the CPU, by ways that give the same numbers or differ from them by rounding.

PyTorch's own are taken on other devices, in an exported graph, and where a gradient is asked for.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor


def kth_smallest(x: Tensor, k: Tensor) -> Tensor:
    """The k-th smallest value of the last axis, from 0.

    NumPy finds it with vector instructions and without sorting the rest. One thread is quicker than several here: those
    of PyTorch still hold the cores for a while after each of its operations.

    Args:
        x: [..., L].
        k: [..., 1] int64.

    Returns:
        [..., 1].
    """
    if not _is_free(x):
        return ordered(x).gather(-1, k)
    rows = x.numpy().reshape(-1, x.shape[-1]).copy()
    for row, place in zip(rows, k.flatten().tolist(), strict=True):
        row.partition(place)
    return torch.from_numpy(rows).view(x.shape).gather(-1, k)


def ordered(x: Tensor) -> Tensor:
    """The values of the last axis in ascending order. NumPy sorts with vector instructions, in a tenth of the time."""
    return torch.from_numpy(np.sort(x.numpy(), axis=-1)) if _is_free(x) else x.sort(-1).values


def arcsinh(x: Tensor) -> Tensor:
    """asinh(x), which PyTorch computes number by number; square root and logarithm are vector instructions.

    On a CPU with AVX-512 NumPy has instructions for asinh itself.
    """
    if not _is_free(x):
        return torch.asinh(x)
    if x.dtype == torch.float32 and _numpy_has_arcsinh():
        return torch.from_numpy(np.arcsinh(x.numpy()))
    size = x.abs()
    # Near 0 as exact as elsewhere: sqrt(1 + size^2) - 1 would lose its digits. Above 1e18 the square is infinite.
    small = size.clamp(max=1e9)
    result = torch.log1p(small + small * (small / (1 + (1 + small * small).sqrt())))
    return (result + (size / small.clamp(min=1)).clamp(min=1).log()).copysign(x)


@cache
def _numpy_has_arcsinh() -> bool:
    """Whether NumPy computes asinh of float32 by vectors on this CPU; its baseline does it number by number."""
    targets = np.lib.introspect.opt_func_info(func_name="^arcsinh$", signature="float32")
    return any("baseline" not in target["current"] for types in targets.values() for target in types.values())


def _is_free(x: Tensor) -> bool:
    """Whether nothing but the numbers is wanted, on the CPU."""
    return x.device.type == "cpu" and not x.requires_grad and not torch.compiler.is_compiling()

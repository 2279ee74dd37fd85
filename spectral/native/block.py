"""A block of the reference network, as block.cpp computes it and autograd knows it.

B batch, C channels, F filters, L length. The same in PyTorch stands in spectral/models/reference.py.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from spectral.native.library import library

NO_SHORTCUT, IDENTITY, CONVOLUTION = 0, 1, 2


class _Block(ctypes.Structure):
    """The struct Block of plan.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("num_spectra", "length", "num_in", "num_filters", "num_layers")),
        *((name, ctypes.c_int64) for name in ("kernel_size", "num_threads", "shortcut", "pools", "is_bfloat16")),
        *((name, ctypes.c_void_p) for name in ("dilations", "weights", "biases", "first", "stop")),
    )


@dataclass(frozen=True)
class _Call:
    """What a call of a block is about, next to its input and weights."""

    pools: bool
    precision: torch.dtype
    inside: tuple[Tensor, Tensor] | None


@dataclass(frozen=True)
class NativeBlock:
    """What a block is, apart from its weights.

    Args:
        kernel_size: of each layer.
        dilations: of each layer.
        shortcut: NO_SHORTCUT, IDENTITY or CONVOLUTION.
    """

    kernel_size: int
    dilations: tuple[int, ...]
    shortcut: int

    def __call__(
        self, x: Tensor, inside: tuple[Tensor, Tensor] | None, weights: Sequence[Tensor], pools: bool
    ) -> Tensor:
        """[B, C, 1, L] to [B, F, 1, L], or to L // 2 positions if it pools by maximum; all in float32 on the CPU.

        Under autocast activations and weights are rounded to bfloat16 before they are multiplied, if the machine has
        instructions for that; sums are float32.

        Args:
            inside: first position inside each spectrum and first one after it, each int32 [B]; None: all are inside.
            weights: weight and bias of each layer, then of the shortcut if it is a convolution.
        """
        is_bfloat16 = torch.is_autocast_enabled("cpu") and library().has_bfloat16
        call = _Call(pools, torch.bfloat16 if is_bfloat16 else torch.float32, inside)
        if torch.is_grad_enabled():
            out: Tensor = _Function.apply(self, call, x, *weights)  # type: ignore[no-untyped-call]  # torch has no types
            return out
        return self.forward(x, call, weights, keeps=False)[0]

    def forward(self, x: Tensor, call: _Call, weights: Sequence[Tensor], keeps: bool) -> tuple[Tensor, list[Tensor]]:
        """The output, and if it `keeps`, what the backward pass needs."""
        x = x.permute(0, 2, 3, 1).contiguous()
        B, _, L, _ = x.shape
        num_out, num_filters = L // 2 if call.pools else L, weights[0].shape[0] // 2
        weights = [_rows(weight) for weight in weights]
        described = self._described(x, call, weights)
        out = x.new_empty(B, 1, num_out, num_filters)
        saved: list[Tensor] = []
        if keeps:
            sizes = (ctypes.c_int64 * 4)()
            _code().kept_sizes(described, sizes)
            inputs = torch.empty(B * sizes[0] + sizes[3], dtype=call.precision)
            saved = [inputs, *(torch.empty(B * n, dtype=torch.int32) for n in sizes[1:3])]
        pointers = [_pointer(each) for each in saved] if keeps else [None] * 3
        _code().forward(described, _pointer(x), _pointer(out), *pointers)
        return out.permute(0, 3, 1, 2), [x, *saved, *weights]

    def backward(self, gradient: Tensor, saved: Sequence[Tensor], call: _Call, has_dx: bool) -> list[Tensor | None]:
        """Gradients of the input, or None for it, and of each of the weights."""
        x, kept, signs, is_second, *weights = saved
        described = self._described(x, call, weights)
        gradient = gradient.permute(0, 2, 3, 1).contiguous()
        dx = torch.empty_like(x) if has_dx else None
        slopes = [torch.empty_like(weight) for weight in weights]
        _code().backward(
            described,
            *(_pointer(each) for each in (x, kept, signs, is_second, gradient)),
            None if dx is None else _pointer(dx),
            _pointers(slopes[::2]),
            _pointers(slopes[1::2]),
        )
        return [None if dx is None else dx.permute(0, 3, 1, 2), *(_filters(slope) for slope in slopes)]

    def _described(self, x: Tensor, call: _Call, weights: Sequence[Tensor]) -> Any:
        B, _, L, C = x.shape
        first, stop = call.inside or (None, None)
        num_layers = len(self.dilations)
        dilations = (ctypes.c_int64 * num_layers)(*self.dilations)
        sizes = B, L, C, weights[0].shape[0] // 2, num_layers, self.kernel_size, torch.get_num_threads()
        arrays = dilations, _pointers(weights[::2]), _pointers(weights[1::2])
        addresses = [ctypes.cast(array, ctypes.c_void_p) for array in arrays]  # each keeps its array alive
        how = self.shortcut, call.pools, call.precision == torch.bfloat16
        return ctypes.byref(_Block(*sizes, *how, *addresses, _pointer(first), _pointer(stop)))


def _code() -> ctypes.CDLL:
    code = library().code
    assert code is not None, "a block runs natively only where the library was built"
    return code


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, block: NativeBlock, call: _Call, x: Tensor, *weights: Tensor) -> Tensor:
        ctx.block, ctx.call = block, call
        out, saved = block.forward(x, call, weights, keeps=any(ctx.needs_input_grad))
        ctx.save_for_backward(*saved)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        has_dx = ctx.needs_input_grad[2]
        return None, None, *ctx.block.backward(gradient, ctx.saved_tensors, ctx.call, has_dx)


def _rows(weight: Tensor) -> Tensor:
    """Filters [F, C, 1, K] as [F, 1, K, C]: as they lie in channels_last. A bias [F] stays as it is."""
    return weight.detach().permute(0, 2, 3, 1).contiguous() if weight.dim() == 4 else weight.detach()


def _filters(rows: Tensor) -> Tensor:
    return rows.permute(0, 3, 1, 2) if rows.dim() == 4 else rows


def _pointer(tensor: Tensor | None) -> ctypes.c_void_p | None:
    return None if tensor is None else ctypes.c_void_p(tensor.data_ptr())


def _pointers(tensors: Sequence[Tensor]) -> Any:
    return (ctypes.c_void_p * len(tensors))(*(tensor.data_ptr() for tensor in tensors))

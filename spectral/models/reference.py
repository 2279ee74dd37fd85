"""The reference network: deep, dilated, with max pooling and sums of halves. B batch, C channels, L length, K classes.

Source: Su Jianlin 2018, "Conv1D spectral classification", kexue.fm/archives/5505.
"""

import torch
from torch import Tensor, nn

from spectral.models.blocks import Conv, Dropout, HalvesSumLayer, SqueezeExcite, glorot_
from spectral.models.heads import Head
from spectral.models.padding import bounds, halve, open_spectra, pool_by_two, zero_padding
from spectral.models.receptive_field import HALVES, POINT, ReceptiveField, in_series
from spectral.native.block import CONVOLUTION, IDENTITY, NO_SHORTCUT, NativeBlock


class Block(nn.Module):
    """Dilated halves-sum layers one after another, around them a shortcut: [B, C, 1, L] to [B, F, 1, L].

    `kernel` says how they are computed, and is set by the runtime: 'torch', or 'native' for all that block.cpp can do.
    """

    def __init__(
        self,
        num_in: int,
        num_filters: int,
        *,
        dilations: list[int],
        kernel_sizes: list[int],
        norm: str,
        residual: str,
        squeeze_excite: int,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            HalvesSumLayer(num_filters if i else num_in, num_filters, kernel_sizes, dilation=dilation, norm=norm)
            for i, dilation in enumerate(dilations)
        )
        self.squeeze_excite = SqueezeExcite(num_filters, squeeze_excite) if squeeze_excite else None
        self.reach = in_series(self.layers) + (POINT if self.squeeze_excite is None else self.squeeze_excite.reach)
        self.residual = residual
        self.shortcut = Conv(num_in, num_filters, 1) if residual != "none" and num_in != num_filters else None
        self.scale = nn.Parameter(torch.full((num_filters, 1, 1), 0.1)) if residual == "scaled" else None
        self.kernel = "torch"
        is_native = has_native_blocks(kernel_sizes, norm, residual, squeeze_excite)
        self.native = self._native(kernel_sizes[0], dilations) if is_native else None

    def forward(self, x: Tensor, padding: Tensor | None, pooling: str | None = None) -> tuple[Tensor, Tensor | None]:
        """The output and its padding, pooled by 2 if `pooling` says how."""
        if self.native is None or not self._runs_natively(x):
            x = self._plain(x, padding)
        else:
            x = self.native(x, bounds(padding), self._weights(), pooling == "max")
            if pooling == "max":
                return x, halve(padding)
        return (x, padding) if pooling is None else pool_by_two(x, padding, pooling)

    def _plain(self, x: Tensor, padding: Tensor | None) -> Tensor:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        for layer in self.layers:
            x = layer(x, padding)
        if self.squeeze_excite is not None:
            x = self.squeeze_excite(x, padding)
        if self.residual == "none":
            return x
        # In this order the sum has the memory layout of x; a 1x1 convolution of a single channel may not keep it.
        return zero_padding((x if self.scale is None else x * self.scale) + shortcut, padding)

    def _native(self, kernel_size: int, dilations: list[int]) -> NativeBlock:
        """The block as block.cpp computes it."""
        shortcut = IDENTITY if self.shortcut is None else CONVOLUTION
        return NativeBlock(kernel_size, tuple(dilations), NO_SHORTCUT if self.residual == "none" else shortcut)

    def _runs_natively(self, x: Tensor) -> bool:
        """Whether these activations are what block.cpp takes."""
        return self.kernel == "native" and x.device.type == "cpu" and x.dtype == torch.float32

    def _weights(self) -> list[Tensor]:
        """Weight and bias of each convolution, in the order in which NativeBlock takes them."""
        return [weight for part in [*self.layers, self.shortcut] if part is not None for weight in part.parameters()]


class ReferenceNetwork(nn.Module):
    """Blocks with pooling by 2 between them, dropout, one vector a spectrum, dense layer, logits.

    The defaults of its config give the published network: 748,324 parameters at C = 1, K = 4.

    Args:
        width: filters of the first block; block i (from 0) has width * 2**(i // 2).
        num_blocks: number of blocks.
        widths: filters of each block, in place of width and num_blocks.
        dilations: dilation of each convolution of a block.
        kernel_sizes: kernels side by side in each convolution; they share its filters.
        norm: 'none', 'batch', 'layer' or 'group', between convolution and ReLU.
        pooling: 'max' or 'average', by 2.
        max_length: where `length` is longer, the spectrum is first averaged by twos until it is not; None never does.
        min_length: pooling stops where the next one would leave fewer positions of the `length` given here.
        residual: 'add', 'scaled' (a learned factor a channel, 0.1 at first: LayerScale, Touvron et al. 2021), 'none'.
        squeeze_excite: reduction of squeeze-excite gates at the end of each block; 0 leaves them out.
        dropout: rate of the one dropout, between the last block and the head.
        dropout_kind: 'timestep', 'element' or 'channel'.
        head, head_width: see Head.
        num_channels, num_classes, length: C, K, L in pixels.
    """

    def __init__(
        self,
        *,
        width: int,
        num_blocks: int,
        widths: list[int] | None,
        dilations: list[int],
        kernel_sizes: list[int],
        norm: str,
        pooling: str,
        max_length: int | None,
        min_length: int,
        residual: str,
        squeeze_excite: int,
        dropout: float,
        dropout_kind: str,
        head: str,
        head_width: int,
        num_channels: int,
        num_classes: int,
        length: int,
    ) -> None:
        super().__init__()
        widths = widths or [width * 2 ** (i // 2) for i in range(num_blocks)]
        self.blocks = nn.ModuleList(
            Block(
                num_in,
                num_filters,
                dilations=dilations,
                kernel_sizes=kernel_sizes,
                norm=norm,
                residual=residual,
                squeeze_excite=squeeze_excite,
            )
            for num_in, num_filters in zip([num_channels, *widths], widths, strict=False)
        )
        self.pooling = pooling
        self.num_input_poolings = num_input_poolings(length, max_length)
        length >>= self.num_input_poolings
        self.num_poolings = num_poolings(length, len(widths) - 1, min_length)
        self.dropout = Dropout(dropout, dropout_kind)
        self.head = Head(head, widths[-1], num_classes, length=length >> self.num_poolings, hidden_width=head_width)
        self.receptive_field = self._reach().num_inputs
        glorot_(self)

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K] of flux [B, C, L] with mask [B, L] (True = padding) or None.

        Raises ValueError if L is so short that pooling would leave no position.
        """
        if flux.shape[2] < self.min_pixels:
            raise ValueError(f"Spectra of {flux.shape[2]} pixels are too short: this network needs {self.min_pixels}.")
        x, padding = open_spectra(flux, mask, align=self.head.kind != "flatten")
        for _ in range(self.num_input_poolings):
            x, padding = pool_by_two(x, padding, "average")
        for i, block in enumerate(self.blocks):
            x, padding = block(x, padding, self.pooling if i < self.num_poolings else None)
        logits: Tensor = self.head(self.dropout(x), padding)
        return logits

    @staticmethod
    def runs_natively(
        *, kernel_sizes: list[int], norm: str, residual: str, squeeze_excite: int, **others: object
    ) -> bool:
        """Whether a network with these options, and any `others`, has blocks for kernel=native."""
        return has_native_blocks(kernel_sizes, norm, residual, squeeze_excite)

    def _reach(self) -> ReceptiveField:
        """Of a position of the last block, in pixels."""
        reach, num_halvings = POINT, 0
        for _ in range(self.num_input_poolings):
            reach, num_halvings = reach + HALVES * 2**num_halvings, num_halvings + 1
        for i, block in enumerate(self.blocks):
            reach += block.reach * 2**num_halvings
            if i < self.num_poolings:
                reach, num_halvings = reach + HALVES * 2**num_halvings, num_halvings + 1
        return reach

    @property
    def min_pixels(self) -> int:
        """The fewest pixels, from the first to the last good one, of which pooling leaves a position."""
        return 1 << (self.num_input_poolings + self.num_poolings)


def has_native_blocks(kernel_sizes: list[int], norm: str, residual: str, squeeze_excite: int) -> bool:
    """Whether block.cpp can compute blocks with these options."""
    return norm == "none" and len(kernel_sizes) == 1 and residual != "scaled" and not squeeze_excite


def num_poolings(length: int, at_most: int, min_length: int) -> int:
    """How often a length can be halved, rounding down, and keep `min_length` positions.

    Rounding down step by step equals rounding down once, so the length left is length >> num_poolings.
    """
    return max((n for n in range(at_most + 1) if length >> n >= min_length), default=0)


def num_input_poolings(length: int, max_length: int | None) -> int:
    """How often a length must be halved, rounding down, to be at most `max_length`."""
    num = 0
    while max_length is not None and length >> num > max_length:
        num += 1
    return num

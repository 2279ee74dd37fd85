"""The channels of a network's input, each made of what is known of a spectrum's pixels.

B batch, S survey channels, L length.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from spectral.inputs.quick import arcsinh, kth_smallest
from spectral.inputs.savgol import PolynomialFit
from spectral.inputs.transforms import block_continuum


class Pixels(NamedTuple):
    """What a channel may be made of.

    Args:
        flux: [B, S, L] float32, scaled; bad pixels are interpolated, and 0 lies outside the spectrum.
        ivar: inverse variance [B, S, L] of the flux as it was measured; None if the survey has none.
        bad: [B, L], True where a pixel inside the spectrum was masked.
        inside: [B, L], True from the first to the last good pixel.
        given: flux [B, S, L] of any float type, as `Inputs` is given it.
        mask: [B, L], True where it is not known; None: it is known everywhere.
    """

    flux: Tensor
    ivar: Tensor | None
    bad: Tensor
    inside: Tensor
    given: Tensor
    mask: Tensor | None

    @property
    def measured(self) -> Tensor:
        """Flux [B, S, L] as it was measured, float32, 0 where masked. Few channels ask for it, so it is not kept."""
        # `where`, not `masked_fill`, which goes through the pixels one by one.
        return self.given.float() if self.mask is None else torch.where(self.mask[:, None], 0, self.given.float())


class Channel(nn.Module):
    """Makes one or more channels of a network's input. `needs_ivar`: whether the survey must have inverse variances."""

    needs_ivar = False

    def num_channels(self, num_survey_channels: int) -> int:
        """How many channels it makes."""
        return num_survey_channels

    def forward(self, pixels: Pixels) -> Tensor:
        """Channels [B, N, L], 0 outside the spectrum."""
        raise NotImplementedError


class Flux(Channel):
    """The scaled flux of each survey channel."""

    def forward(self, pixels: Pixels) -> Tensor:
        return pixels.flux


class Mask(Channel):
    """One channel: 1 where a pixel inside the spectrum was masked and its flux is interpolated, else 0."""

    def num_channels(self, num_survey_channels: int) -> int:
        return 1

    def forward(self, pixels: Pixels) -> Tensor:
        return pixels.bad[:, None].to(pixels.flux.dtype)


class Measured(Channel):
    """One channel: 1 where a pixel is inside the spectrum and was not masked, else 0. Losses on pixels read it."""

    def num_channels(self, num_survey_channels: int) -> int:
        return 1

    def forward(self, pixels: Pixels) -> Tensor:
        return (pixels.inside & ~pixels.bad)[:, None].to(pixels.flux.dtype)


class Derivative(Channel):
    """The change of the scaled flux per pixel: central differences, one-sided at the ends of the spectrum."""

    def forward(self, pixels: Pixels) -> Tensor:
        inside = pixels.inside[:, None]
        both = inside[..., 1:] & inside[..., :-1]
        change = (pixels.flux[..., 1:] - pixels.flux[..., :-1]) * both
        num = pad(both, (1, 0)).float() + pad(both, (0, 1)).float()
        return (pad(change, (1, 0)) + pad(change, (0, 1))) / num.clamp(min=1)


class SignalToNoise(Channel):
    """arcsinh of flux over its error, pixel by pixel: near 0 the ratio itself, far from 0 its logarithm."""

    needs_ivar = True

    def forward(self, pixels: Pixels) -> Tensor:
        assert pixels.ivar is not None
        # Outside the spectrum `measured` is 0, and so is its arcsinh.
        return arcsinh(pixels.measured * pixels.ivar.clamp(min=0).sqrt())


class LogIvar(Channel):
    """ln of the inverse variance over its median in the spectrum, within +-5; -5 where nothing is known of a pixel.

    The ratio to the median leaves out the units of flux.
    """

    needs_ivar = True
    LIMIT = 5.0

    def forward(self, pixels: Pixels) -> Tensor:
        assert pixels.ivar is not None
        inside = pixels.inside[:, None]
        known = (pixels.ivar > 0) & inside
        logs = pixels.ivar.float().where(known, torch.inf).log()
        # As nanmedian, the lower of the two middle ones, but by operations that ONNX has.
        num_known = known.sum(-1, keepdim=True)
        median = kth_smallest(logs, (num_known - 1).clamp(min=0) // 2)
        ratios = (logs - median.where(num_known > 0, 0)).clamp(-self.LIMIT, self.LIMIT)
        return ratios.where(known, torch.where(inside, -self.LIMIT, 0.0))


class ContinuumLevel(Channel):
    """The continuum of the scaled flux: a line through medians of blocks, see transforms.py."""

    def __init__(self, block_pixels: int = 100) -> None:
        super().__init__()
        self.block_pixels = block_pixels

    def forward(self, pixels: Pixels) -> Tensor:
        good = (pixels.inside & ~pixels.bad)[:, None].expand_as(pixels.flux)
        return block_continuum(pixels.flux, good, self.block_pixels) * pixels.inside[:, None]


class SavitzkyGolay(Channel):
    """The scaled flux, or a derivative of it, by a polynomial around each pixel; arguments as of PolynomialFit."""

    def __init__(self, window_pixels: int = 11, order: int = 2, derivative: int = 1) -> None:
        super().__init__()
        self.fit = PolynomialFit(window_pixels, order, derivative)

    def forward(self, pixels: Pixels) -> Tensor:
        fitted: Tensor = self.fit(pixels.flux, pixels.inside)
        return fitted

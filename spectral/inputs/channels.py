"""The channels of a network's input, each made of what is known of a spectrum's pixels.

B batch, S survey channels, L length.
"""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.functional import pad


class Pixels(NamedTuple):
    """What a channel may be made of.

    Args:
        flux: [B, S, L] float32, scaled; bad pixels are interpolated, and 0 lies outside the spectrum.
        ivar: inverse variance [B, S, L] of the flux as it was measured; None if the survey has none.
        bad: [B, L], True where a pixel inside the spectrum was masked.
        inside: [B, L], True from the first to the last good pixel.
    """

    flux: Tensor
    ivar: Tensor | None
    bad: Tensor
    inside: Tensor


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


class Derivative(Channel):
    """The change of the scaled flux per pixel: central differences, one-sided at the ends of the spectrum."""

    def forward(self, pixels: Pixels) -> Tensor:
        inside = pixels.inside[:, None]
        both = inside[..., 1:] & inside[..., :-1]
        change = (pixels.flux[..., 1:] - pixels.flux[..., :-1]) * both
        num = pad(both, (1, 0)).float() + pad(both, (0, 1)).float()
        return (pad(change, (1, 0)) + pad(change, (0, 1))) / num.clamp(min=1)

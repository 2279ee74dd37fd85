"""What a network is given: from flux, inverse variance and mask of a batch to the network's channels and mask.

B batch, S survey channels, C network channels, L length.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spectral.inputs.channels import Channel, Pixels


class Augmentation(nn.Module):
    """Changes a batch before anything else is done to it, in training only."""

    def forward(
        self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Flux [B, S, L], inverse variance [B, S, L] and mask [B, L], changed; the shapes stay."""
        raise NotImplementedError


class Inputs(nn.Module):
    """Augment (in training only), scale the flux, fill bad pixels, and make the network's channels.

    The spectrum is what lies between its first and its last good pixel. Masked pixels inside it are bad: they take the
    values of the line between their good neighbours, since a 0 on a scaled continuum would look like a deep line.
    Masked pixels outside it, at either end, are padding: 0 here, and masked for the network.

    Args:
        num_survey_channels: S.
        transform: of flux [B, S, L] and mask [B, L], see spectral/inputs/transforms.py.
        channels: what the network's channels are, in their order.
        masked_pixels: "interpolate" as above. "zero" is what versions before 0.2 did: every masked pixel is 0, and only
            those after the last good one are padding.
        augmentations: applied one after another, in training only.
    """

    def __init__(
        self,
        num_survey_channels: int,
        transform: nn.Module,
        channels: Sequence[Channel],
        masked_pixels: str = "interpolate",
        augmentations: Sequence[Augmentation] = (),
    ) -> None:
        super().__init__()
        self.num_survey_channels = num_survey_channels
        self.num_channels = sum(channel.num_channels(num_survey_channels) for channel in channels)  # C
        self.needs_ivar = any(channel.needs_ivar for channel in channels)
        self.transform, self.channels = transform, nn.ModuleList(channels)
        self.masked_pixels, self.augmentations = masked_pixels, nn.ModuleList(augmentations)

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The network's channels [B, C, L] float32, and its mask [B, L] (True = padding) or None.

        Args:
            flux: [B, S, L] of any float type; any value, also NaN, where masked.
            ivar: inverse variance [B, S, L], or None.
            mask: [B, L] bool, True = bad pixel or padding; None if no pixel is.
        """
        if self.training:
            for augmentation in self.augmentations:
                flux, ivar, mask = augmentation(flux, ivar, mask)
        pixels = self.pixels(flux, ivar, mask)
        return self.make_channels(pixels), None if mask is None else ~pixels.inside

    def make_channels(self, pixels: Pixels) -> Tensor:
        """The network's channels [B, C, L]."""
        made = [channel(pixels) for channel in self.channels]
        return made[0] if len(made) == 1 else torch.cat(made, dim=1)

    def pixels(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> Pixels:
        """What the channels are made of: the scaled flux, its bad pixels filled. Arguments as in `forward`."""
        scaled = self.transform(flux, mask)
        if mask is None:
            inside = torch.ones_like(scaled[:, 0], dtype=torch.bool)
            return Pixels(scaled, ivar, ~inside, inside)
        before, after = good_neighbours(mask)
        inside = after < mask.shape[1]
        if self.masked_pixels == "interpolate":
            inside &= before >= 0
            scaled = interpolated(scaled, before, after)
        return Pixels(scaled, ivar, mask & inside, inside)


def good_neighbours(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The last good pixel up to each pixel, -1 if there is none, and the first good one from it on, L if there is none.

    Args:
        mask: [B, L] bool, True = bad.

    Returns:
        Two tensors [B, L] int64; a good pixel is its own neighbour.
    """
    length = mask.shape[1]
    position = torch.arange(length, device=mask.device).expand(mask.shape)
    before = position.masked_fill(mask, -1).cummax(dim=1).values
    after = position.masked_fill(mask, length).flip(1).cummin(dim=1).values.flip(1)
    return before, after


def interpolated(flux: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Flux [B, S, L] with each bad pixel on the line between its good neighbours; 0 if it lacks one of the two."""
    length = flux.shape[2]
    outside = (before < 0) | (after >= length)
    left, right = before.clamp(min=0), after.clamp(max=length - 1)
    position = torch.arange(length, device=flux.device)
    weight = ((position - left) / (right - left).clamp(min=1))[:, None].to(flux.dtype)
    at_left, at_right = (flux.gather(2, i[:, None].expand_as(flux)) for i in (left, right))
    return torch.lerp(at_left, at_right, weight).masked_fill(outside[:, None], 0)

"""What a network is given: from flux, inverse variance and mask of a batch to the network's channels and mask.

B batch, S survey channels, C network channels, L length.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spectral.inputs.augmentations import Augmentation, Spectra
from spectral.inputs.bad_pixels import fill_bad_pixels, fill_every_pixel
from spectral.inputs.channels import Channel, Pixels


class Inputs(nn.Module):
    """Scale the flux, fill bad pixels, and make the network's channels; `augmented` comes before, in training.

    The spectrum is what lies between its first and its last good pixel. Masked pixels inside it are bad: they take the
    values of the line between their good neighbours, since a 0 on a scaled continuum would look like a deep line.
    Masked pixels outside it, at either end, are padding: 0 here, and masked for the network.

    Args:
        num_survey_channels: S.
        transform: of flux [B, S, L] and mask [B, L], see spectral/inputs/transforms.py.
        channels: what the network's channels are, in their order.
        masked_pixels: "interpolate" as above. "zero" is what versions before 0.2 did: every masked pixel is 0, and only
            those after the last good one are padding.
        augmentations: of `augmented`, one after another, see spectral/inputs/augmentations.py.
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
        self.needs_ivar = any(part.needs_ivar for part in (*channels, *augmentations))
        self.transform, self.channels = transform, nn.ModuleList(channels)
        self.masked_pixels, self.augmentations = masked_pixels, nn.ModuleList(augmentations)

    def augmented(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        """A batch of spectra as `forward` takes them, changed at random; in evaluation mode as they are.

        An augmentation that would leave a spectrum without a good pixel, since it moves it past an end, is not applied
        to it.

        Args:
            target: class indices [B]: some augmentations act on some classes only.
        """
        if self.training:
            for augmentation in self.augmentations:
                flux, ivar, mask = _unless_lost((flux, ivar, mask), augmentation(flux, ivar, mask, target))
        return flux, ivar, mask

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The network's channels [B, C, L] float32, and its mask [B, L] (True = padding) or None.

        Args:
            flux: [B, S, L] of any float type; any value, also NaN, where masked.
            ivar: inverse variance [B, S, L], or None.
            mask: [B, L] bool, True = bad pixel or padding; None if no pixel is.
        """
        pixels = self.pixels(flux, ivar, mask)
        return self.make_channels(pixels), None if mask is None else ~pixels.inside

    @property
    def parts(self) -> "Sequence[Inputs]":
        """The inputs whose channels follow one another, each with a transform of its own: here one."""
        return [self]

    def make_channels(self, pixels: Pixels) -> Tensor:
        """The channels [B, C, L] of these inputs."""
        made = [channel(pixels) for channel in self.channels]
        return made[0] if len(made) == 1 else torch.cat(made, dim=1)

    def pixels(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> Pixels:
        """What the channels are made of: the scaled flux, its bad pixels filled. Arguments as in `forward`."""
        scaled = self.transform(flux, mask)
        if mask is None:
            inside = torch.ones_like(scaled[:, 0], dtype=torch.bool)
            return Pixels(scaled, ivar, ~inside, inside, flux, mask)
        position = torch.arange(mask.shape[1], device=mask.device, dtype=torch.int32)
        inside = position <= position.masked_fill(mask, -1).amax(dim=1, keepdim=True)
        if self.masked_pixels == "zero":
            return Pixels(scaled, ivar, mask & inside, inside, flux, mask)
        inside &= position >= position.masked_fill(mask, mask.shape[1]).amin(dim=1, keepdim=True)
        bad = mask & inside
        # On a CPU the few bad pixels alone take a tenth of the time; on a GPU finding them would hold up its queue.
        # An exported graph cannot look for them at all.
        looks_for_bad = mask.device.type == "cpu" and not torch.compiler.is_exporting()
        fill = fill_bad_pixels if looks_for_bad else fill_every_pixel
        return Pixels(fill(scaled, bad), ivar, bad, inside, flux, mask)


def _unless_lost(before: Spectra, after: Spectra) -> Spectra:
    """Augmented spectra; those without a good pixel as they were before."""
    if before[2] is None or after[2] is None or after[2] is before[2]:
        return after
    lost = after[2].all(1, keepdim=True)
    if lost.device.type == "cpu" and not lost.any():  # a GPU would be waited for
        return after
    ivar = None if before[1] is None or after[1] is None else before[1].where(lost[..., None], after[1])
    return before[0].where(lost[..., None], after[0]), ivar, before[2].where(lost, after[2])

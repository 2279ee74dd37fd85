"""Inputs of several networks as one: their channels follow one another. B batch, S survey channels, L length."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spectral.inputs.inputs import Inputs


class JoinedInputs(Inputs):
    """The channels of some inputs, one after another.

    Args:
        parts: of the same survey channels and the same `masked_pixels`, so that all have the same mask.
    """

    def __init__(self, parts: Sequence[Inputs]) -> None:
        nn.Module.__init__(self)  # a transform, channels and augmentations of its own it has none
        self._parts, self.augmentations = nn.ModuleList(parts), nn.ModuleList()
        self.num_survey_channels, self.masked_pixels = parts[0].num_survey_channels, parts[0].masked_pixels
        self.num_channels = sum(part.num_channels for part in parts)
        self.needs_ivar = any(part.needs_ivar for part in parts)

    @property
    def parts(self) -> Sequence[Inputs]:
        """The inputs whose channels follow one another."""
        return list(self._parts)  # type: ignore[arg-type]  # a list of modules does not say of which class they are

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The channels [B, C, L] of all parts, and the mask [B, L] (True = padding) or None; arguments as of Inputs."""
        made = [part(flux, ivar, mask) for part in self.parts]
        return torch.cat([channels for channels, _ in made], dim=1), made[0][1]

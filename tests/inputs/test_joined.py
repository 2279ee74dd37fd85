"""Joined inputs against their parts."""

import torch

from spectral.inputs.channels import Flux, LogIvar, Mask
from spectral.inputs.inputs import Inputs
from spectral.inputs.joined import JoinedInputs
from spectral.inputs.transforms import Unchanged


class Doubled(Unchanged):
    """Another scale than that of the other part."""

    def forward(self, flux: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        return 2 * super().forward(flux, mask)


def test_channels_follow_one_another_and_the_mask_is_that_of_each() -> None:
    torch.manual_seed(0)
    parts = [Inputs(2, Unchanged(), [Flux(), Mask()]), Inputs(2, Doubled(), [Flux(), LogIvar()])]
    joined, flux, ivar = JoinedInputs(parts), torch.randn(3, 2, 9), torch.rand(3, 2, 9) + 0.1
    mask = torch.zeros(3, 9, dtype=torch.bool)
    mask[0, 6:], mask[1, :2], mask[2, 4] = True, True, True
    assert joined.num_channels == 7 and joined.needs_ivar and len(joined.parts) == 2
    channels, padding = joined(flux, ivar, mask)
    made = [part(flux, ivar, mask) for part in parts]
    torch.testing.assert_close(channels, torch.cat([of_part for of_part, _ in made], dim=1))
    assert padding is not None and all(other is not None and torch.equal(padding, other) for _, other in made)
    assert padding[0, 6:].all() and not padding[2].any()
    assert joined(flux, ivar, None)[1] is None

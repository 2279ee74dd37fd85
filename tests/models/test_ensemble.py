"""The network of an ensemble against NumPy: the average of its members' probabilities at one class prior."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spectral.inference.members import log_prior_ratio
from spectral.models.ensemble import Ensemble


class Fixed(nn.Module):
    """Logits that are a linear function of the mean of its channels; remembers how many it was given."""

    def __init__(self, num_channels: int, scale: float, field: Any = 7) -> None:
        super().__init__()
        self.weight = nn.Parameter(scale * torch.randn(num_channels, 3))
        self.receptive_field = field

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        return flux.mean(dim=2) @ self.weight


def test_probabilities_are_the_weighted_mean_at_the_common_prior() -> None:
    torch.manual_seed(0)
    common, priors = [0.2, 0.3, 0.5], [[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    members = [Fixed(1, 1.0), Fixed(2, 30.0), Fixed(1, 300.0)]
    channels, weights = [(0, 1), (1, 3), (0, 1)], [2.0, 1.0, 1.0]
    ratios = [log_prior_ratio(own, common, "a member") for own in priors]
    flux = torch.randn(5, 3, 11)
    found = Ensemble(members, channels, weights, ratios)(flux).softmax(dim=1).detach().numpy()
    expected = np.zeros((5, 3))
    for member, (first, end), weight, own in zip(members, channels, weights, priors, strict=True):
        logits = member(flux[:, first:end]).detach().numpy().astype(np.float64)
        probability = np.exp(logits - logits.max(axis=1, keepdims=True)) * np.array(common) / np.array(own)
        expected += weight / 4 * probability / probability.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_a_class_that_all_members_lack_stays_as_it_is() -> None:
    assert log_prior_ratio([0.5, 0.5, 0.0], [0.5, 0.5, 0.0], "a member") == [0.0, 0.0, 0.0]


def test_the_receptive_field_is_the_widest() -> None:
    def field(*fields: Any) -> Any:
        members = [Fixed(1, 1.0, field) for field in fields]
        return Ensemble(members, [(0, 1)] * len(fields), [1.0] * len(fields), [[0.0] * 3] * len(fields)).receptive_field

    assert field(5, 9) == 9 and field(5, None) is None and field(5, "unknown", None) == "unknown"


def test_a_spectrum_must_be_long_enough_for_each_member() -> None:
    members = [Fixed(1, 1.0) for _ in range(3)]
    assert _of(members).min_pixels == 1
    members[0].min_pixels, members[1].min_pixels = 4, 64
    assert _of(members).min_pixels == 64


def _of(members: list[Any]) -> Ensemble:
    return Ensemble(members, [(0, 1)] * len(members), [1.0] * len(members), [[0.0] * 3] * len(members))

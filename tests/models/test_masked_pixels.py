"""Masked pixels: which they are, that no network sees them, and that the loss is that of its formula."""

import numpy as np
import pytest
import seeds
import torch
from network_variants import build_network
from torch import Tensor, nn

from spectral.models.heads import Head
from spectral.models.masked_pixels import MaskedPixels, MeanOfPixels, draw_spans

OPTIONS = {"num_channels": 2, "length": 140, "span_pixels": 10, "masked_fraction": 0.3}


def masked(variant: str) -> MaskedPixels:
    return MaskedPixels(build_network(variant, dropout=0.0), **OPTIONS).eval()


def batch() -> tuple[Tensor, Tensor]:
    """Channels [B, C + 1, L], the last one where pixels were measured, and padding [B, L] at either end."""
    channels = torch.randn(5, 3, 140, generator=seeds.generator(0))
    channels[:, 2], padding = 1, torch.zeros(5, 140, dtype=torch.bool)
    padding[1, 100:] = padding[2, :31] = True
    channels[3, 2, 50:60] = 0
    channels.mul_(~padding[:, None])
    return channels, padding


def spans(network: MaskedPixels, channels: Tensor, padding: Tensor | None) -> Tensor:
    """The mask [B, L] that a call with this seed draws, each spectrum from its first pixel on."""
    num = torch.full((len(channels),), 140) if padding is None else (~padding).sum(dim=1)
    torch.manual_seed(1)
    return draw_spans(num, 140, network.span_pixels, network.masked_fraction)


def loss(network: MaskedPixels, channels: Tensor, padding: Tensor | None) -> Tensor:
    torch.manual_seed(1)
    found: Tensor = network(channels, padding)
    return found


def test_what_is_masked_is_seen_by_no_network(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in the masked pixels, the network makes the same."""
    network, (channels, _) = masked(variant), batch()
    made: list[Tensor] = []
    network.network.register_forward_hook(lambda _module, _given, output: made.append(output))
    hidden = spans(network, channels, None)
    changed = channels.clone()
    changed[:, :2] = channels[:, :2].where(~hidden[:, None], 1e6)
    first, second = loss(network, channels, None), loss(network, changed, None)
    assert made[0].equal(made[1]) and made[0].shape[:2] == (5, 2) and 120 < made[0].shape[2] <= 140
    assert not first.equal(second)
    seen = channels.clone()
    seen[:, :2] = channels[:, :2].where(hidden[:, None], 0.5)
    loss(network, seen, None)
    assert not made[0].equal(made[2])


@pytest.mark.parametrize("variant", ["reference", "reference head=flatten", "fcn", "resnet1d", "inception_time"])
def test_the_loss_is_that_of_the_masked_good_pixels(variant: str) -> None:
    network, (channels, padding) = masked(variant), batch()
    made: list[Tensor] = []
    network.network.register_forward_hook(lambda _module, _given, output: made.append(output.detach()))
    found = loss(network, channels, padding).detach().numpy()
    hidden, expected = spans(network, channels, padding).numpy(), np.zeros((5, 2))
    for row in range(5):
        inside = np.flatnonzero(~padding[row].numpy())  # the network sees each spectrum from the first position on
        spectrum = channels[row].numpy()[:, inside]
        for place in range(min(len(inside), made[0].shape[2])):
            if hidden[row, place] and spectrum[2, place]:
                error = np.abs(made[0][row, :, place].numpy() - spectrum[:2, place])
                expected[row] += np.where(error < 1, error**2 / 2, error - 0.5).mean(), 1
    assert found == pytest.approx(expected, rel=1e-4)
    mean = float(MeanOfPixels()(torch.from_numpy(expected)))
    assert mean == pytest.approx(expected[:, 0].sum() / expected[:, 1].sum())


def test_dropout_is_for_heads() -> None:
    network, (channels, padding) = MaskedPixels(build_network("reference", dropout=0.5), **OPTIONS), batch()
    assert loss(network.train(), channels, padding).equal(loss(network.eval(), channels, padding))


def test_no_masked_pixel_is_a_loss_of_zero() -> None:
    assert float(MeanOfPixels()(torch.zeros(3, 2))) == 0


def test_the_loss_reaches_the_body(variant: str) -> None:
    network, (channels, padding) = masked(variant).train(), batch()
    MeanOfPixels()(loss(network, channels, padding)).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


def test_spans_are_whole_and_their_share_is_that_of_each_spectrum() -> None:
    num_pixels = torch.tensor([600, 600, 317, 40, 10, 0]).repeat(400)
    hidden = draw_spans(num_pixels, 600, 20, 0.3)
    assert hidden.shape == (2400, 600)
    for length, rows in zip((600, 600, 317, 40, 10, 0), hidden.view(400, 6, 600).unbind(dim=1), strict=True):
        # Of the mean of 400 draws: the share of a whole spectrum varies by less than a span.
        share = float(rows[:, :length].float().mean()) if length else 0.0
        expected = {40: (0.3, 0.52), 10: (0, 0.4), 0: (0, 0)}.get(length, (0.28, 0.32))
        assert expected[0] <= share <= expected[1]
        if length > 10:
            assert (rows[:, :length].any(dim=1) & ~rows[:, :length].all(dim=1)).all()
    ends = np.diff(np.pad(hidden[0].numpy().astype(int), 1))
    lengths = np.flatnonzero(ends == -1) - np.flatnonzero(ends == 1)
    assert all(length % 20 == 0 for length in lengths[1:-1])
    assert hidden[0].equal(hidden[1]) is False


def test_other_draws_mask_other_pixels() -> None:
    num_pixels = torch.full((300,), 200)
    share = draw_spans(num_pixels, 200, 25, 0.4).float().mean(dim=0)
    # 300 draws: the standard deviation of a pixel's share is .03. Pixels at the ends are masked as often as others.
    assert share.min() > 0.25 and share.max() < 0.55


class Pooled(nn.Module):
    """Its head is given one vector for each spectrum."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)

    def forward(self, flux: Tensor, _mask: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(flux.mean(dim=2))
        return logits


class Strided(nn.Module):
    """A position for every third pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Head("average", 2, 3)

    def forward(self, flux: Tensor, _mask: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(flux[:, :, None, ::3])
        return logits


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Pooled(), r"its head is given activations of shape \[1, 2\]"),
        (Strided(), "it makes 47 positions of 140 pixels"),
        (nn.Identity(), "its network has no module head"),
    ],
    ids=["pooled", "strided", "headless"],
)
def test_a_network_that_cannot_be_decoded_is_refused(network: nn.Module, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        MaskedPixels(network, **OPTIONS)

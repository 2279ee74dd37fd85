"""The stated receptive field against the pixels that change a position before the global pooling."""

import pytest
import seeds
import torch
from network_variants import SLOW_VARIANTS, VARIANTS

from spectral.configs.models import models

WHOLE = ("reference norm=group", "reference squeeze_excite=1")
LENGTH = 480


def feature_map(network, flux):
    """Activations [B, F, 1, L'] that the head pools, of flux [B, C, L]; the network is in evaluation mode."""
    seen = []
    handle = network.head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(flux)
    handle.remove()
    return seen[0]


def make_positive(network):
    """Make weights, fixed ones too, positive and biases zero: a position is above zero if light reaches it."""
    with torch.no_grad():
        for name, values in (*network.named_parameters(), *network.named_buffers()):
            values.zero_() if name.endswith(("bias", "running_mean")) else values.abs_()
    return network.eval()


def pixels_that_reach_the_middle(network):
    """Indices of the pixels that change a middle position; each is lit in a spectrum of its own."""
    lit = torch.eye(LENGTH)[:, None].expand(LENGTH, 2, LENGTH)
    middle = torch.cat([(x := feature_map(network, part))[..., x.shape[3] // 2] for part in lit.split(32)])
    return middle.flatten(1).amax(dim=1).nonzero().flatten()


MEASURED = [variant for variant in VARIANTS if variant not in WHOLE and "head" not in variant]


@pytest.mark.parametrize(
    "variant", [pytest.param(name, marks=pytest.mark.slow if name in SLOW_VARIANTS else ()) for name in MEASURED]
)
def test_the_receptive_field_spans_the_pixels_that_reach_a_position(build, variant):
    network = make_positive(build(variant))
    seen = pixels_that_reach_the_middle(network)
    first, last = int(seen[0]), int(seen[-1])
    assert first > 0 and last < LENGTH - 1  # the spectrum is longer than what is measured
    assert network.receptive_field == last - first + 1


@pytest.mark.parametrize("variant", WHOLE)
def test_the_receptive_field_is_none_if_every_pixel_reaches_every_position(build, variant):
    network = build(variant).double().eval()
    assert network.receptive_field is None
    flux = torch.randn(1, 2, LENGTH, dtype=torch.float64, generator=seeds.generator(1))
    changed = flux.clone()
    changed[..., -1] += 10
    assert (feature_map(network, flux)[..., 0] != feature_map(network, changed)[..., 0]).any()


@pytest.mark.parametrize(
    ("name", "length", "expected"),
    [
        # 7 poolings: 1 + sum over 8 blocks of 2 * (1 + 2 + 4) * 2**i, and 2**i more per pooling.
        ("reference", 2600, 1 + 14 * 255 + 127),
        # 4 poolings: the last four blocks see positions 16 pixels apart.
        ("reference", 140, 1 + 14 * (15 + 4 * 16) + 15),
        ("fcn", 2600, 1 + 7 + 4 + 2),
        ("resnet1d", 2600, 1 + 3 * (7 + 4 + 2)),
        ("inception_time", 2600, 1 + 6 * 39),
        # The longest fixed filter, 20 taps two pixels apart, 10 taps four apart.
        ("lite_time", 2600, 1 + 95 + 19 * 2 + 9 * 4),
    ],
)
def test_receptive_fields_of_the_published_networks(name, length, expected):
    network = models.build(models.typed(name), num_channels=1, num_classes=4, length=length)
    assert network.receptive_field == expected

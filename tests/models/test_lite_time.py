"""LITE: its size, its fixed filters, and its logits against the network built again in Keras from its description."""

import numpy as np
import pytest
import seeds
import torch

from spectral.configs.models import models
from spectral.models.lite_time import FixedFilters

# In the order of the outputs: six filters for increase, six for decrease, five for peaks.
BY_HAND = {
    0: [-1, 1],
    1: [-1, 1, -1, 1],
    2: [-1, 1, -1, 1, -1, 1, -1, 1],
    6: [1, -1],
    7: [1, -1, 1, -1],
    12: [-1, -1, 2, 2, -1, -1],
    13: [-0.25, -1, -1, -0.25, 0.5, 2, 2, 0.5, -0.25, -1, -1, -0.25],
}


def published(num_channels=1):
    torch.manual_seed(0)
    return models.build(models.typed("lite_time"), num_channels=num_channels, num_classes=4, length=650)


def taps(fixed, length=201):
    """The weights of each filter [17, L], the tap of a position itself in the middle, from its outputs alone."""
    impulse = torch.zeros(2, 1, 1, length)
    impulse[..., length // 2] = torch.tensor([1.0, -1.0])[:, None, None]
    risen, fallen = fixed(impulse)[:, :, 0]  # ReLU leaves one sign of each weight in either
    return (risen - fallen).flip(1)


@pytest.mark.parametrize(("row", "weights"), BY_HAND.items())
def test_the_smallest_fixed_filters(row, weights):
    expected = torch.zeros(201)
    start = 100 - (len(weights) - 1) // 2  # an even kernel reads one pixel more to the right
    expected[start : start + len(weights)] = torch.tensor(weights)
    assert torch.equal(taps(FixedFilters())[row], expected)


def test_every_fixed_filter_has_its_length_and_ignores_a_constant():
    found = taps(FixedFilters())
    assert (found != 0).sum(dim=1).tolist() == 2 * [2, 4, 8, 16, 32, 64] + [6, 12, 24, 48, 96]
    assert torch.equal(found.sum(dim=1), torch.zeros(17))


def test_fixed_filters_read_the_sum_of_the_channels():
    flux = torch.randn(3, 4, 1, 120, generator=seeds.generator(0), dtype=torch.float64)
    fixed = FixedFilters().double()
    torch.testing.assert_close(fixed(flux), fixed(flux.sum(dim=1, keepdim=True)))


def test_fixed_filters_are_not_trained():
    network = published()
    fixed = network.layers[0].fixed
    before = fixed.weight.clone()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        network(torch.randn(4, 1, 650)).square().sum().backward()
        optimizer.step()
    assert torch.equal(fixed.weight, before)
    assert fixed.weight.grad is None and not fixed.weight.requires_grad
    assert not any("fixed" in name for name in [*network.state_dict(), *dict(network.named_parameters())])


def test_a_gradient_passes_fixed_filters():
    flux = torch.randn(1, 1, 1, 120, generator=seeds.generator(0), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(FixedFilters().double(), flux)


def test_number_of_parameters():
    trained = 32 * (40 + 20 + 10)
    width = 3 * 32 + 17
    second, third = width * 20 + width * 32, 32 * 10 + 32 * 32
    norms = 2 * (width + 32 + 32)
    assert trained + second + third + norms == 9_814  # the paper's number, which leaves out the dense layer
    assert sum(p.numel() for p in published().parameters()) == 9_814 + 32 * 4 + 4


def fixed_kernels():
    """Of each fixed filter, a value for each tap, by formulas of the position."""
    sizes = 2 ** np.arange(1, 7)
    yield from (-((-1.0) ** np.arange(size)) for size in sizes)
    yield from ((-1.0) ** np.arange(size) for size in sizes)
    for size in sizes[1:]:
        bump, place = np.divmod(np.arange(size * 3 // 2), size // 2)
        height = (np.minimum(place + 1, size // 2 - place) / (size // 4)) ** 2
        yield np.where(bump == 1, 2, -1) * height


def keras_lite(keras, num_channels):
    """LITE in Keras's order of axes [B, L, C], and its trained layers in the order in which they are called."""
    layers, weighted = keras.layers, []

    def add(layer, x):
        weighted.append(layer)
        return layer(x)

    def fixed(kernel, x):
        layer = layers.Conv1D(1, len(kernel), padding="same", use_bias=False)
        found = layer(x)
        layer.set_weights([np.tile(kernel[:, None, None], (1, num_channels, 1))])
        return found

    x = inputs = keras.Input((None, num_channels))
    branches = [add(layers.Conv1D(32, size, padding="same", use_bias=False), x) for size in (40, 20, 10)]
    hybrid = layers.ReLU()(layers.Concatenate()([fixed(kernel, x) for kernel in fixed_kernels()]))
    x = layers.ReLU()(add(layers.BatchNormalization(epsilon=1e-5), layers.Concatenate()([*branches, hybrid])))
    for size, dilation in ((20, 2), (10, 4)):
        x = add(layers.SeparableConv1D(32, size, padding="same", dilation_rate=dilation, use_bias=False), x)
        x = layers.ReLU()(add(layers.BatchNormalization(epsilon=1e-5), x))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, add(layers.Dense(4), x)), weighted


def as_keras(values):
    """Kernels [F, C, 1, taps] and dense weights [K, F] as Keras lays them out; vectors as they are."""
    return {4: lambda: values.squeeze(2).permute(2, 1, 0), 2: lambda: values.T, 1: lambda: values}[values.dim()]()


def copy_weights(network, weighted):
    """To Keras's layers, which have ours in the same order; of a norm weight, bias, mean and variance."""
    first, *separable = network.layers
    convolutions = [[conv.weight] for conv in first.convs]
    ours = [*convolutions, norm_of(first)]
    for layer in separable:
        # Keras has the depthwise taps as [taps, C, 1], as of a convolution to one filter.
        ours += [[layer.depthwise.weight.permute(1, 0, 3, 2), layer.pointwise.weight], norm_of(layer)]
    ours.append([network.head.logits.weight, network.head.logits.bias])
    for layer, values in zip(weighted, ours, strict=True):
        arrays = [as_keras(value.detach()).numpy() for value in values]
        layer.set_weights(arrays)


def norm_of(layer):
    return [layer.norm.weight, layer.norm.bias, layer.norm.running_mean, layer.norm.running_var]


@pytest.mark.parametrize(("num_channels", "length"), [(1, 650), (3, 201)])
def test_logits_are_those_of_keras(keras, build, num_channels, length):
    network = build("lite_time", num_channels, num_classes=4, num_filters=32).eval()
    source, weighted = keras_lite(keras, num_channels)
    copy_weights(network, weighted)
    flux = torch.randn(3, num_channels, length, generator=seeds.generator(length))
    with torch.no_grad():
        expected = source(flux.transpose(1, 2), training=False).cpu()
        torch.testing.assert_close(network(flux), expected, rtol=0, atol=1e-4)

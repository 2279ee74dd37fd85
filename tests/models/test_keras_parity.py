"""The reference network, built again in Keras from its description alone, with the same weights gives the same logits.

Keras runs on its torch backend; nothing of the product's network code is used on its side.
"""

import numpy as np
import pytest
import seeds
import torch

from spectral.configs.models import models
from spectral.models.blocks import Conv
from spectral.models.inception_time import max_of_three

WIDTHS = [16, 16, 32, 32, 64, 64, 128, 128]
DILATIONS = [1, 2, 4]


def keras_reference(keras, num_classes=4):
    """The published network without its softmax, in Keras's order of axes [B, L, C], and its layers with weights."""
    layers, weighted = keras.layers, []

    def add(layer, x):
        weighted.append(layer)
        return layer(x)

    x = inputs = keras.Input((None, 1))
    for i, width in enumerate(WIDTHS):
        h = x
        for dilation in DILATIONS:
            h = add(layers.Conv1D(2 * width, 3, padding="same", dilation_rate=dilation, activation="relu"), h)
            h = layers.Add()([h[..., :width], h[..., width:]])
        if x.shape[-1] != width:
            x = add(layers.Conv1D(width, 1), x)
        x = layers.Add()([x, h])
        if i < len(WIDTHS) - 1:
            x = layers.MaxPooling1D(2)(x)
    x = layers.Dropout(0.5, noise_shape=(None, None, 1))(x)
    x = layers.GlobalMaxPooling1D()(x)
    x = add(layers.Dense(128, activation="relu"), x)
    return keras.Model(inputs, add(layers.Dense(num_classes), x)), weighted


def weights_of(layer):
    """Kernel and bias of a Keras convolution or dense layer as torch lays them out."""
    kernel, bias = (torch.tensor(np.asarray(w.detach())) for w in (layer.kernel.value, layer.bias.value))
    return (kernel.permute(2, 1, 0).unsqueeze(2) if kernel.ndim == 3 else kernel.T), bias


def layers_with_weights(network):
    """Ours, in the order in which the Keras build makes its own."""
    for block in network.blocks:
        yield from (layer.conv.convs[0] for layer in block.layers)
        if block.shortcut is not None:
            yield block.shortcut
    yield from (network.head.hidden, network.head.logits)


def copy_weights(layer, target):
    with torch.no_grad():
        for parameter, value in zip((target.weight, target.bias), weights_of(layer), strict=True):
            assert parameter.shape == value.shape
            parameter.copy_(value)


@pytest.fixture(scope="module")
def pair(keras):
    keras.utils.set_random_seed(3 + seeds.SHIFT)
    source, weighted = keras_reference(keras)
    network = models.build(models.typed("reference"), num_channels=1, num_classes=4, length=2600).eval()
    generator = np.random.default_rng(3)
    for layer, target in zip(weighted, layers_with_weights(network), strict=True):
        layer.bias.assign(generator.normal(0, 0.05, layer.bias.shape))  # a missing bias of zero would not show
        copy_weights(layer, target)
    return source, network


def test_number_of_parameters(pair):
    source, network = pair
    assert source.count_params() == sum(p.numel() for p in network.parameters()) == 748_324


@pytest.mark.parametrize("length", [2600, 1999])
def test_logits(pair, length):
    source, network = pair
    flux = torch.randn(3, 1, length, generator=seeds.generator(length))
    with torch.no_grad():
        expected = source(flux.transpose(1, 2), training=False).cpu()
        torch.testing.assert_close(network(flux), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("kernel_size", "dilation"), [(3, 4), (8, 1), (10, 1), (40, 1), (8, 3)])
def test_same_padding_of_any_kernel(keras, kernel_size, dilation):
    layer = keras.layers.Conv1D(5, kernel_size, padding="same", dilation_rate=dilation)
    x = torch.randn(2, 3, 61)
    layer.build((2, 61, 3))
    conv = Conv(3, 5, kernel_size, dilation=dilation)
    copy_weights(layer, conv)
    with torch.no_grad():
        expected = layer(x.transpose(1, 2)).transpose(1, 2).cpu()
        torch.testing.assert_close(conv(x.unsqueeze(2)).squeeze(2), expected, rtol=1e-5, atol=1e-5)


def test_max_of_three_is_the_pool_of_inception_time(keras):
    x = torch.randn(2, 3, 61) - 3  # below zero, so that padding by zeros would show
    expected = keras.layers.MaxPooling1D(3, strides=1, padding="same")(x.transpose(1, 2)).transpose(1, 2).cpu()
    torch.testing.assert_close(max_of_three(x.unsqueeze(2), None).squeeze(2), expected)

"""The reference network's own parts and options."""

import pytest
import torch
from torch import nn

from spectral.configs.models import models
from spectral.models.blocks import Conv, Dropout, MultiKernelConv, relu_halves_sum
from spectral.models.heads import Head, maximum
from spectral.models.reference import num_input_poolings, num_poolings


def test_sum_of_halves_is_two_convolutions_added():
    both, x = Conv(3, 10, 3, dilation=2), torch.randn(2, 3, 1, 40)
    first, second = (
        nn.functional.conv1d(x.squeeze(2), w.squeeze(2), b, dilation=2, padding=2)
        for w, b in zip(both.weight.split(5), both.bias.split(5), strict=True)
    )
    torch.testing.assert_close(relu_halves_sum(both(x)).squeeze(2), first.relu() + second.relu())


@pytest.mark.parametrize(
    ("length", "at_most", "min_length", "expected"),
    [(2600, 7, 8, 7), (140, 7, 8, 4), (2600, 2, 8, 2), (15, 7, 8, 0), (16, 7, 8, 1), (3, 7, 8, 0), (3, 7, 1, 1)],
)
def test_number_of_poolings(length, at_most, min_length, expected):
    assert num_poolings(length, at_most, min_length) == expected


@pytest.mark.parametrize(
    ("length", "max_length", "expected"),
    [(2600, None, 0), (2600, 2600, 0), (2600, 2599, 1), (2600, 1300, 1), (2600, 1299, 2), (3999, 2000, 1), (5, 1, 2)],
)
def test_number_of_poolings_of_the_input(length, max_length, expected):
    assert num_input_poolings(length, max_length) == expected


def test_a_spectrum_longer_than_max_length_is_averaged_in_pairs(build):
    network, plain = build("reference max_length=70"), build("reference", length=70)
    flux = torch.randn(3, 2, 140)
    torch.testing.assert_close(network.eval()(flux), plain.eval()(flux.unflatten(2, (70, 2)).mean(dim=3)))
    assert network.min_pixels == 2 * plain.min_pixels


def test_widths_follow_the_published_scales(build):
    network = build("reference of 2018", num_channels=1, width=2, length=2600)
    assert [block.layers[0].conv.convs[0].out_channels // 2 for block in network.blocks] == [2, 2, 4, 4, 8, 8, 16, 16]


def test_initial_weights_are_glorot_uniform_with_zero_bias():
    network = models.build(models.typed({"name": "reference", "width": 32}), num_channels=1, num_classes=4, length=140)
    weight = network.blocks[6].layers[1].conv.convs[0].weight  # [512, 256, 1, 3]
    bound = (6 / (3 * (512 + 256))) ** 0.5
    assert weight.abs().max() <= bound
    # A uniform variable has standard deviation bound / sqrt(3); of 393,216 draws it is known to a tenth of a per cent.
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize(
    ("kind", "shape"), [("timestep", (4, 1, 1, 50)), ("channel", (4, 6, 1, 1)), ("element", (4, 6, 1, 50))]
)
def test_dropout_drops_whole_units_of_its_kind(kind, shape):
    torch.manual_seed(0)
    dropped = Dropout(0.5, kind)(torch.ones(4, 6, 1, 50))
    unit = dropped[: shape[0], : shape[1], :, : shape[3]]
    assert torch.equal(dropped, unit.expand_as(dropped))
    assert set(unit.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(Dropout(0.5, kind).eval()(dropped), dropped)


def test_dropout_is_applied_once_between_the_last_block_and_the_head(build):
    network, flux = build("reference", dropout=0.5), torch.randn(2, 2, 140)
    before, after = [], []
    network.blocks[-1].register_forward_hook(lambda module, inputs, output: before.append(output[0]))
    network.head.register_forward_hook(lambda module, inputs, output: after.append(inputs[0]))
    network(flux)
    kept = after[0] != 0
    torch.testing.assert_close(after[0][kept], 2 * before[0][kept])
    assert (kept == kept.any(dim=1, keepdim=True)).all() and 0 < kept.float().mean() < 1


def test_kernels_side_by_side_share_the_filters():
    convs = MultiKernelConv(3, 8, [3, 7, 15], dilation=2, bias=True)
    assert [(conv.out_channels, conv.kernel_size) for conv in convs.convs] == [(3, (1, 3)), (3, (1, 7)), (2, (1, 15))]
    assert convs(torch.randn(2, 3, 1, 40)).shape == (2, 8, 1, 40)


def test_attention_with_equal_scores_is_the_average():
    head = Head("attention", 5, 3)
    nn.init.zeros_(head.score.weight)
    x = torch.randn(2, 5, 1, 9)
    padding = torch.arange(9).expand(2, 1, 1, 9) >= 6
    expected = head.logits(x[..., :6].mean(dim=(2, 3)))
    torch.testing.assert_close(head(x.masked_fill(padding, 0), padding), expected)


def test_maximum_of_negative_activations_is_not_the_padding():
    x = torch.tensor([[[[-3.0, -2.0, 0.0]]]])
    assert maximum(x, torch.tensor([[[[False, False, True]]]])).item() == -2.0
    assert maximum(x, torch.ones(1, 1, 1, 3, dtype=torch.bool)).item() == 0.0


def test_flatten_refuses_longer_spectra_than_it_was_built_for(build):
    network = build("reference head=flatten")
    with pytest.raises(ValueError, match="flatten was built for 17 positions after pooling and got 25"):
        network(torch.randn(1, 2, 200))


def test_spectra_too_short_to_pool_are_refused(build):
    with pytest.raises(ValueError, match="Spectra of 7 pixels are too short: this network needs 8"):
        build("reference")(torch.randn(1, 2, 7))

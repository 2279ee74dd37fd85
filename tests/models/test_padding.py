"""Padding and bad pixels have exactly no effect. The fixture `seeded` of all tests seeds each draw."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network_variants import build_network
from torch.nn import functional

from spectral.models.norms import BatchNorm, GroupNorm
from spectral.models.padding import open_spectra, pool_by_two

LENGTHS = [140, 97, 64, 33]


def padded_batch(lengths=LENGTHS, length=150, num_channels=2):
    """Spectra in float64 with padding of NaN, which would show in every result, and their mask."""
    flux = torch.randn(len(lengths), num_channels, length, dtype=torch.float64)
    mask = torch.arange(length) >= torch.tensor(lengths)[:, None]
    flux[mask[:, None].expand_as(flux)] = torch.nan
    return flux, mask


def one_by_one(network, flux, lengths=LENGTHS):
    return torch.cat([network(row[None, :, :length]) for row, length in zip(flux, lengths, strict=True)])


def length_for(variant):
    return 150 if "flatten" in variant else 140


def test_logits_with_padding_are_those_without(build, variant):
    network = build(variant, length=length_for(variant)).double().eval()
    flux, mask = padded_batch()
    torch.testing.assert_close(network(flux, mask), one_by_one(network, flux), rtol=1e-9, atol=1e-9)


def test_logits_with_padding_are_those_without_in_float32(build, variant):
    network = build(variant, length=length_for(variant)).eval()
    flux, mask = padded_batch()
    flux = flux.float()
    torch.testing.assert_close(network(flux, mask), one_by_one(network, flux), rtol=1e-5, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(8, 60), min_size=1, max_size=4), extra=st.integers(0, 40), data=st.data())
@pytest.mark.parametrize("head", ["max", "average"])
def test_padding_is_ignored_at_any_length(lengths, extra, data, head):
    pooling = data.draw(st.sampled_from(["max", "average"]))
    network = build_network("reference", num_channels=1, length=60, head=head, pooling=pooling, widths=[2, 3, 4])
    network = network.double().eval()
    flux, mask = padded_batch(lengths, max(lengths) + extra, num_channels=1)
    torch.testing.assert_close(network(flux, mask), one_by_one(network, flux, lengths), rtol=1e-9, atol=1e-9)


def test_gradients_with_padding_are_those_without(build, variant):
    """In training mode too: batch statistics must not include the padding."""
    network = build(variant, length=length_for(variant), dropout=0.0).double()
    flux, mask = padded_batch([97, 97, 97])
    for parameter in network.parameters():
        parameter.grad = None
    unpadded = copy.deepcopy(network)
    network(flux, mask).square().sum().backward()
    unpadded(flux[:, :, :97]).square().sum().backward()
    for (name, parameter), expected in zip(network.named_parameters(), unpadded.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, expected.grad, rtol=1e-7, atol=1e-7, msg=name)
    for (name, buffer), expected in zip(network.named_buffers(), unpadded.buffers(), strict=True):
        torch.testing.assert_close(buffer, expected, rtol=1e-9, atol=1e-9, msg=name)


def test_the_value_of_a_bad_pixel_is_ignored(build, variant):
    network = build(variant).double().eval()
    flux, mask = torch.randn(3, 2, 140, dtype=torch.float64), torch.zeros(3, 140, dtype=torch.bool)
    mask[0, :3] = mask[1, 50:70] = mask[2, 138] = True
    bad = mask[:, None].expand_as(flux)
    logits = network(flux, mask)
    for value in (0.0, 1e30, torch.nan, torch.inf):
        assert torch.equal(network(flux.masked_fill(bad, value), mask), logits)
    # Inside the spectrum it counts as 0.
    torch.testing.assert_close(logits[1], network(flux.masked_fill(bad, 0))[1])


def test_padding_at_either_end_is_ignored(build, variant):
    """48 masked pixels before the spectrum, behind it, or on both sides give the logits of the spectrum alone."""
    length = 140 if "flatten" not in variant else 188
    network = build(variant, length=length).double().eval()
    flux = torch.randn(2, 2, 140, dtype=torch.float64)
    alone = network(flux)
    for before in (48, 0, 17):
        padded = functional.pad(flux, (before, 48 - before), value=torch.nan)
        mask = functional.pad(torch.zeros(2, 140, dtype=torch.bool), (before, 48 - before), value=True)
        logits = network(padded, mask)
        if "flatten" in variant:  # its positions are wavelengths: they stay where they are
            assert torch.isfinite(logits).all()
        else:
            torch.testing.assert_close(logits, alone, rtol=1e-9, atol=1e-9)


def test_a_head_that_weighs_positions_depends_on_the_position_of_a_spectrum():
    network = build_network("reference", num_channels=1, length=64, head="flatten").double().eval()
    flux, mask = torch.zeros(1, 1, 64, dtype=torch.float64), torch.ones(1, 64, dtype=torch.bool)
    flux[..., 16:48], mask[:, 16:48] = torch.randn(1, 1, 32, dtype=torch.float64), False
    opened, padding = open_spectra(flux, mask, align=False)
    assert torch.equal(opened.squeeze(2), flux) and torch.equal(padding.flatten(1), mask)
    assert not torch.allclose(network(flux, mask), network(flux.roll(-16, 2), mask.roll(-16, 1)))


def test_a_bad_pixel_is_not_padding(build):
    network = build("reference").double().eval()
    flux, mask = torch.randn(1, 2, 140, dtype=torch.float64), torch.zeros(1, 140, dtype=torch.bool)
    mask[0, 100:139] = True
    assert not torch.allclose(network(flux, mask), network(flux[:, :, :100]))


def test_an_empty_mask_changes_nothing(build, variant):
    network, flux = build(variant, dropout=0.0).double(), torch.randn(3, 2, 140, dtype=torch.float64)
    torch.testing.assert_close(network(flux, torch.zeros(3, 140, dtype=torch.bool)), network(flux))


def test_a_spectrum_of_padding_alone_has_finite_logits_and_changes_no_other(build, variant):
    network = build(variant, length=length_for(variant), dropout=0.0).double()
    flux, mask = padded_batch([97, 0, 97])
    logits = network(flux, mask)
    logits.square().sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())
    expected = network(flux[[0, 2], :, :97])
    torch.testing.assert_close(logits[[0, 2]], expected, rtol=1e-9, atol=1e-9)


@given(mask=st.lists(st.booleans(), min_size=2, max_size=30))
def test_padding_is_what_lies_outside_the_first_and_last_good_pixel(mask):
    good = [i for i, bad in enumerate(mask) if not bad]
    start, stop = (good[0], good[-1] + 1) if good else (0, 0)
    flux = torch.arange(1.0, len(mask) + 1)[None, None]
    opened, padding = open_spectra(flux, torch.tensor([mask]), align=False)
    assert padding.flatten().tolist() == [not start <= i < stop for i in range(len(mask))]
    assert opened.flatten().tolist() == [0.0 if bad else i + 1.0 for i, bad in enumerate(mask)]
    windows = [start <= 2 * i and 2 * i + 2 <= stop for i in range(len(mask) // 2)]
    assert pool_by_two(opened, padding, "max")[1].flatten().tolist() == [not inside for inside in windows]

    opened, padding = open_spectra(flux, torch.tensor([mask]))
    length = stop - start
    assert padding.flatten().tolist() == [i >= length for i in range(len(mask))]
    assert opened.flatten().tolist()[:length] == [0.0 if mask[i] else i + 1.0 for i in range(start, stop)]


def test_batch_statistics_are_those_of_the_valid_positions():
    """Against torch's batch norm of the valid positions gathered side by side."""
    norm = BatchNorm(3).double()
    norm.weight.data.uniform_(0.5, 2)
    norm.bias.data.uniform_(-1, 1)
    mean, variance = norm.running_mean.clone(), norm.running_var.clone()
    x = torch.randn(4, 3, 1, 20, dtype=torch.float64, requires_grad=True)
    valid = torch.arange(20) < torch.tensor([20, 7, 1, 0])[:, None]
    seen = norm(x, ~valid[:, None, None]).squeeze(2).transpose(1, 2)[valid]
    gathered = x.squeeze(2).transpose(1, 2)[valid]
    expected = functional.batch_norm(gathered, mean, variance, norm.weight, norm.bias, training=True)
    torch.testing.assert_close(seen, expected)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    weights = torch.randn_like(seen)
    gradient, wanted = (torch.autograd.grad((y * weights).sum(), x, retain_graph=True)[0] for y in (seen, expected))
    torch.testing.assert_close(gradient, wanted)


def test_group_statistics_are_those_of_each_spectrum():
    norm = GroupNorm(2, 6).double()
    x = torch.randn(3, 6, 1, 20, dtype=torch.float64)
    lengths = [20, 7, 1]
    padding = (torch.arange(20) >= torch.tensor(lengths)[:, None])[:, None, None]
    seen = norm(x, padding)
    for i, length in enumerate(lengths):
        expected = functional.group_norm(x[i : i + 1, ..., :length], 2, norm.weight, norm.bias, norm.eps)
        torch.testing.assert_close(seen[i : i + 1, ..., :length], expected)

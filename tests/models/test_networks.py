"""What a user relies on in every registered network."""

import copy
import dataclasses
import inspect

import pytest
import seeds
import torch
from network_variants import VARIANTS

from spectral.configs.models import models
from spectral.errors import UserError


def flux_and_mask():
    flux = torch.randn(6, 2, 140, generator=seeds.generator(0))
    mask = torch.zeros(6, 140, dtype=torch.bool)
    mask[1, 100:] = mask[2, 30:40] = mask[3, 5] = True
    return flux, mask


def test_every_registered_network_has_a_variant_here():
    assert {variant.split()[0] for variant in VARIANTS} == set(models.names)


@pytest.mark.parametrize("masked", [False, True])
def test_logits_are_finite_and_reach_every_parameter(build, variant, masked):
    network, (flux, mask) = build(variant), flux_and_mask()
    logits = network(flux, mask if masked else None)
    assert logits.shape == (6, 3) and torch.isfinite(logits).all()
    logits.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_the_batch_does_not_change_a_spectrum(build, variant):
    network, (flux, mask) = build(variant).double().eval(), flux_and_mask()
    one_by_one = torch.cat([network(f[None].double(), m[None]) for f, m in zip(flux, mask, strict=True)])
    torch.testing.assert_close(network(flux.double(), mask), one_by_one)


def test_channels_last_computes_the_same(build, variant):
    network, (flux, mask) = build(variant).double().eval(), flux_and_mask()
    flux = flux.double()
    expected = network(flux, mask)
    torch.testing.assert_close(network.to(memory_format=torch.channels_last)(flux, mask), expected)


@pytest.mark.parametrize("masked", [False, True])
def test_bfloat16_autocast_computes_nearly_the_same(build, variant, masked):
    network, (flux, mask) = build(variant).to(memory_format=torch.channels_last).eval(), flux_and_mask()
    mask = mask if masked else None
    expected = network(flux, mask)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network(flux, mask)
        network.train()(flux, mask).square().sum().backward()
    # bfloat16 keeps 8 bits, and a rounding error grows through some twenty layers.
    assert (rounded - expected).abs().max() < 0.1 * expected.abs().max()


# A mask changes what norms do: these need it to differ from the plain network.
@pytest.mark.parametrize(
    ("variant", "masked"),
    [
        *((name, True) for name in models.names),
        ("reference", False),
        ("reference norm=batch", True),
        *(pytest.param(name, False, marks=pytest.mark.slow) for name in models.names if name != "reference"),
        pytest.param("reference norm=group", True, marks=pytest.mark.slow),
    ],
)
def test_compilation_makes_a_single_graph(build, variant, masked):
    network, (flux, mask) = build(variant).eval(), flux_and_mask()
    mask = mask if masked else None
    torch._dynamo.reset()
    compiled = torch.compile(copy.deepcopy(network), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(flux, mask), network(flux, mask))


@pytest.mark.parametrize("length", [64, 139, 143])
def test_a_network_takes_other_lengths_than_it_was_built_for(build, variant, length):
    logits = build(variant).eval()(torch.randn(2, 2, length))
    assert logits.shape == (2, 3) and torch.isfinite(logits).all()


@pytest.mark.parametrize("name", models.names)
def test_options_are_the_keywords_of_the_constructor(name):
    entry = models.entry(name)
    options = {field.name for field in dataclasses.fields(entry.config)} - {"name"}
    keywords = set(inspect.signature(entry.load()).parameters)
    assert keywords - options <= {"num_channels", "num_classes", "length"}
    assert options <= keywords


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "fcn", "widths": [8, 8]}, "model.widths=[8, 8] and model.kernel_sizes=[8, 5, 3] differ"),
        ({"name": "reference", "width": 1, "kernel_sizes": [3, 5, 7]}, "model.kernel_sizes=[3, 5, 7] is too long"),
        ({"name": "reference", "widths": [8, 1], "kernel_sizes": [3, 5, 7]}, "the narrowest has width 1"),
        ({"name": "reference", "head": "mix"}, "did you mean 'max'"),
        ({"name": "lite_time", "kernel_size": 3}, "model.kernel_size=3 is out of range: allowed is at least 4"),
    ],
)
def test_options_that_do_not_fit_end_in_one_sentence(options, words):
    with pytest.raises(UserError, match=words.replace("[", r"\[")):
        models.typed(options)

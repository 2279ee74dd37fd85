"""A block in C++ against the same block in PyTorch: forward, gradients, padding, repeats."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from network_variants import VARIANTS, build_network
from torch import Tensor

from spectral.models.reference import Block
from spectral.native.library import library

pytestmark = pytest.mark.skipif(library().code is None, reason="needs a C++ compiler")

NEEDS_BFLOAT16 = pytest.mark.skipif(
    not library().has_bfloat16, reason="needs a CPU that multiplies bfloat16 numbers, and a compiler that knows them"
)

# A sum of n products has an error of about sqrt(n) roundoffs (6e-8), n being at most 7 * 48 here, or 3 * 400 positions;
# three layers follow one another. Found: up to 2e-6. A wrong tap or sign gives about 1.
TOLERANCE = 2e-5

blocks = st.fixed_dictionaries(
    {
        "num_in": st.sampled_from([1, 2, 3, 8, 16, 17]),
        "num_filters": st.sampled_from([1, 3, 8, 16, 17, 24]),
        "kernel_sizes": st.sampled_from([1, 2, 3, 4, 7]).map(lambda size: [size]),
        "dilations": st.sampled_from([[1], [1, 2, 4], [3, 1], [16], [40, 1]]),
        "residual": st.sampled_from(["add", "none"]),
        "squeeze_excite": st.just(0),
        "norm": st.just("none"),
    }
)


def make_block(options: dict[str, Any], seed: int = 1) -> Block:
    torch.manual_seed(seed)
    block = Block(**options)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block.to(memory_format=torch.channels_last)


def make_exact_block(options: dict[str, Any]) -> Block:
    """A block of whole numbers, most weights being 0: few sums are too large for the 8 bits of bfloat16."""
    block = make_block(options)
    for weight in block.parameters():
        chance = 1.5 / weight[0].numel() if weight.dim() > 1 else 1
        weight.data = torch.randint(-1, 2, weight.shape) * (torch.rand(weight.shape) < chance).float()
    return block.to(memory_format=torch.channels_last)


def padding_of(num: int, length: int) -> Tensor:
    """Padding at both ends, [num, 1, 1, length]: of all spectra but the first, and of one the whole."""
    start = torch.randint(0, length // 2 + 1, (num, 1))
    stop = start + torch.randint(1, length + 1, (num, 1))
    start[0], stop[0], stop[num // 2 :: 5] = 0, length, 0
    position = torch.arange(length)
    return ((position < start) | (position >= stop))[:, None, None, :]


def carried_out(
    block: Block, kernel: str, x: Tensor, padding: Tensor | None, pooling: str | None, precision: str = "float32"
) -> list[Tensor]:
    """Output, gradient of the input, gradients of the weights."""
    block.kernel = kernel
    x = x.detach().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        y, after = block(x, padding, pooling)
    torch.manual_seed(2)
    slope = torch.randn(y.shape) if x.frac().any() else torch.randint(-3, 4, y.shape).float()
    # A head reads nothing in the padding, so nothing comes back from there.
    slope = slope if after is None else slope.masked_fill(after, 0)
    return [y.detach(), *torch.autograd.grad(y, [x, *block.parameters()], slope)]


@given(
    options=blocks,
    num=st.sampled_from([1, 2, 3, 7]),
    length=st.sampled_from([2, 3, 5, 19, 64, 401]),
    is_padded=st.booleans(),
    pooling=st.sampled_from([None, "max", "average"]),
    num_threads=st.sampled_from([1, 2]),
)
@settings(max_examples=25)
def test_a_native_block_computes_what_torch_does(
    options: dict[str, Any], num: int, length: int, is_padded: bool, pooling: str | None, num_threads: int
) -> None:
    block = make_block(options)
    padding = padding_of(num, length) if is_padded else None
    x = torch.randn(num, options["num_in"], 1, length)
    x = x if padding is None else x.masked_fill(padding, 0)
    expected = carried_out(block, "torch", x, padding, pooling)
    torch.set_num_threads(num_threads)
    found = carried_out(block, "native", x, padding, pooling)
    torch.set_num_threads(1)
    if padding is not None:
        expected[1] = expected[1].masked_fill(padding, 0)  # what a network is given there is zero whatever the weights
    for right, native in zip(expected, found, strict=True):
        assert native.shape == right.shape
        assert (native - right).norm() <= TOLERANCE * right.norm() + 1e-12


@NEEDS_BFLOAT16
@given(
    options=blocks,
    num=st.sampled_from([1, 2, 3, 7]),
    length=st.sampled_from([2, 3, 5, 19, 64, 401]),
    is_padded=st.booleans(),
    pooling=st.sampled_from([None, "max"]),
    num_threads=st.sampled_from([1, 2]),
)
@settings(max_examples=60)
def test_what_bfloat16_can_hold_is_computed_without_an_error(
    options: dict[str, Any], num: int, length: int, is_padded: bool, pooling: str | None, num_threads: int
) -> None:
    """Whole numbers below 256: products and sums of them are the same in both precisions."""
    block = make_exact_block(options)
    padding = padding_of(num, length) if is_padded else None
    x = torch.randint(-3, 4, (num, options["num_in"], 1, length)).float()
    x = x if padding is None else x.masked_fill(padding, 0)
    exact = carried_out(block, "native", x, padding, pooling)
    assume(exact[0].abs().max() < 100)  # so what was rounded on the way was small enough too
    torch.set_num_threads(num_threads)
    found = carried_out(block, "native", x, padding, pooling, "bfloat16")
    torch.set_num_threads(1)
    assert all(torch.equal(a, b) for a, b in zip(exact, found, strict=True))


@NEEDS_BFLOAT16
@pytest.mark.parametrize("num_in", [1, 16, 48])
def test_bfloat16_has_the_errors_of_its_rounding(num_in: int) -> None:
    """8 bits: 2e-3 of a product. Three layers and the shortcut are no more than three times as far off."""
    options = {"num_in": num_in, "num_filters": 48, "kernel_sizes": [3], "dilations": [1, 2, 4]}
    block = make_block({**options, "residual": "add", "squeeze_excite": 0, "norm": "none"})
    x = torch.randn(4, num_in, 1, 333)
    exact, rounded = (
        carried_out(block, "native", x, None, None, precision)[0] for precision in ("float32", "bfloat16")
    )
    assert 1e-4 < (rounded - exact).norm() / exact.norm() < 6e-3


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name.startswith("reference")])
def test_a_whole_network_runs_natively_or_its_options_stay_in_torch(variant: str) -> None:
    network, flux = build_network(variant, dropout=0.0), torch.randn(5, 2, 140)
    mask = torch.zeros(5, 140, dtype=torch.bool)
    mask[1:, :7], mask[2:, 121:] = True, True
    expected = network(flux, mask)
    for block in network.blocks:
        block.kernel = "native"
    torch.testing.assert_close(network(flux, mask), expected, rtol=1e-4, atol=1e-5)
    can_all = variant.split("=")[0].split()[-1] not in ("norm", "squeeze_excite", "kernel_sizes")
    assert all((block.native is not None) == (can_all and "scaled" not in variant) for block in network.blocks)


def test_padding_changes_nothing_at_all() -> None:
    network = build_network("reference", num_channels=1, dropout=0.0).eval()
    for block in network.blocks:
        block.kernel = "native"
    flux = torch.randn(3, 1, 140)
    mask = torch.arange(140) >= torch.tensor([[140], [97], [64]])
    seen: list[Tensor] = []  # by the head, whose product is rounded otherwise for other batch sizes
    network.head.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    network(flux.masked_fill(mask[:, None], torch.nan), mask)
    for row, length in enumerate((140, 97, 64)):
        network(flux[row : row + 1, :, :length])
        num_positions = seen[-1].shape[3]
        assert torch.equal(seen[-1][0], seen[0][row, :, :, :num_positions])
        assert not seen[0][row, :, :, num_positions:].any()


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=NEEDS_BFLOAT16)])
@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_repeats_are_identical_bit_by_bit(num_threads: int, precision: str) -> None:
    options = {"num_in": 8, "num_filters": 16, "kernel_sizes": [3], "dilations": [1, 2, 4]}
    block = make_block({**options, "residual": "add", "squeeze_excite": 0, "norm": "none"})
    x = torch.randn(7, 8, 1, 333)
    torch.set_num_threads(num_threads)
    first, second = (carried_out(block, "native", x, None, "max", precision) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_without_gradients_the_output_is_the_same() -> None:
    network = build_network("reference", dropout=0.0)
    for block in network.blocks:
        block.kernel = "native"
    flux = torch.randn(4, 2, 140)
    with torch.inference_mode():
        found = network(flux)
    assert torch.equal(found, network(flux))


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=NEEDS_BFLOAT16)])
def test_what_is_not_a_number_comes_through(precision: str) -> None:
    """Else a training that diverges would not be noticed."""
    network = build_network("reference", dropout=0.0)
    for block in network.blocks:
        block.kernel = "native"
    weight = network.blocks[1].layers[0].conv.convs[0].weight
    with torch.no_grad():
        weight[0, 0, 0, 0] = torch.nan
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        assert network(torch.randn(4, 2, 140)).isnan().all()


def test_other_numbers_than_float32_stay_in_torch() -> None:
    network = build_network("reference", dropout=0.0).double()
    flux = torch.randn(4, 2, 140, dtype=torch.float64)
    expected = network(flux)
    for block in network.blocks:
        block.kernel = "native"
    assert torch.equal(network(flux), expected)


def test_a_network_is_copied_with_its_kernel() -> None:
    network = build_network("reference")
    for block in network.blocks:
        block.kernel = "native"
    assert {block.kernel for block in copy.deepcopy(network).blocks} == {"native"}

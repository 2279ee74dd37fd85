"""Transforms against float64 formulas in numpy, spectrum by spectrum, over the good pixels alone."""

from collections.abc import Callable

import numpy as np
import pytest
import seeds
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.configs.inputs import transforms

Formula = Callable[[np.ndarray], np.ndarray]
FORMULAS: dict[str, Formula] = {
    "none": lambda x: x,
    "scale": lambda x: x / 100,
    "standardize": lambda x: (x - x.mean()) / x.std(),
    "median": lambda x: x / np.median(np.abs(x)),
    "median, centered": lambda x: (x - np.median(x)) / np.median(np.abs(x)),
    "l2": lambda x: x / np.linalg.norm(x),
    "snv": lambda x: (x - x.mean()) / x.std(ddof=1),
    "robust_z": lambda x: (x - np.median(x)) / (1.4826 * np.median(np.abs(x - np.median(x)))),
}
NAMES = sorted(FORMULAS)


def build(name: str, **options: float) -> Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]:
    name, _, flag = name.partition(", ")
    options |= {flag: True} if flag else {}
    return transforms.build(transforms.typed({"name": name, **options}))


def expected(name: str, flux: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """flux [B, C, L], mask [B, L]."""
    out = np.zeros_like(flux, dtype=np.float64)
    for b, c in np.ndindex(flux.shape[:2]):
        good = ~mask[b]
        out[b, c, good] = FORMULAS[name](flux[b, c, good].astype(np.float64))
    return out


def test_every_registered_transform_has_a_formula_here() -> None:
    names = {name.partition(", ")[0] for name in NAMES}
    assert transforms.names == sorted([*names, "continuum", "msc", "savgol"])  # see below, test_msc.py, test_savgol.py


def by_blocks(flux: np.ndarray, good: np.ndarray, block: int) -> np.ndarray:
    """The continuum of one spectrum [L], by numpy.interp through the blocks that have good pixels."""
    starts = range(0, len(flux), block)
    medians = {s + (block - 1) / 2: flux[s : s + block][good[s : s + block]] for s in starts}
    nodes = {place: np.median(values) for place, values in medians.items() if len(values)}
    return np.interp(np.arange(len(flux)), list(nodes), list(nodes.values()))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    length=st.integers(1, 60),
    block=st.integers(2, 20),
    share_bad=st.sampled_from([0.0, 0.3, 0.8]),
)
def test_the_continuum_is_the_line_through_the_medians_of_blocks(
    seed: int, length: int, block: int, share_bad: float
) -> None:
    rng = np.random.default_rng(seed)
    flux = rng.uniform(1, 2, size=(2, 1, length)).astype(np.float32)
    mask = rng.random((2, length)) < share_bad
    mask[:, length // 2] = False
    out = build("continuum", block_pixels=block)(torch.from_numpy(flux), torch.from_numpy(mask))
    for b in range(2):
        expected = np.where(mask[b], 0, flux[b, 0] / by_blocks(flux[b, 0], ~mask[b], block))
        np.testing.assert_allclose(out[b, 0], expected, rtol=1e-5)


def test_a_continuum_that_is_not_above_0_gives_0() -> None:
    flux = torch.cat([torch.full((1, 1, 40), -1.0), torch.full((1, 1, 40), 2.0)], dim=2)
    out = build("continuum", block_pixels=10)(flux, None)
    assert not out[..., :30].any() and (out[..., 50:] == 1).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    length=st.integers(5, 60),
    exponent=st.sampled_from([-25, -17, 0, 4, 20]),
    share_bad=st.sampled_from([0.0, 0.3]),
)
def test_transform_is_its_formula_at_any_flux_scale(
    name: str, seed: int, length: int, exponent: int, share_bad: float
) -> None:
    rng = np.random.default_rng(seed)
    flux = ((rng.normal(size=(3, 2, length)) + 3) * 10.0**exponent).astype(np.float32)
    mask = rng.random((3, length)) < share_bad
    mask[:, :3] = False
    out = build(name)(torch.from_numpy(flux), torch.from_numpy(mask))
    assert out.dtype == torch.float32
    wanted = expected(name, flux, mask)
    # Single precision, of which subtracting the mean loses some digits.
    np.testing.assert_allclose(out.numpy(), wanted, rtol=3e-5, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("name", NAMES)
def test_no_mask_is_a_mask_without_bad_pixels(name: str) -> None:
    flux = torch.randn(4, 1, 50, generator=seeds.generator(0)) * 200
    assert torch.equal(build(name)(flux, None), build(name)(flux, torch.zeros(4, 50, dtype=torch.bool)))


@pytest.mark.parametrize("name", NAMES)
def test_the_values_of_masked_pixels_change_nothing(name: str) -> None:
    flux = torch.randn(2, 3, 40, generator=seeds.generator(1)) + 2
    mask = torch.zeros(2, 40, dtype=torch.bool)
    mask[:, 30:] = True
    corrupt = flux.clone()
    corrupt[:, :, 30:35], corrupt[:, :, 35:] = torch.nan, torch.inf
    out = build(name)(corrupt, mask)
    assert torch.equal(out, build(name)(flux, mask))
    assert (out[:, :, 30:] == 0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mask_all", [False, True])
def test_a_spectrum_of_zeros_or_without_good_pixels_gives_zeros(name: str, mask_all: bool) -> None:
    flux = torch.full((1, 2, 8), 5.0) if mask_all else torch.zeros(1, 2, 8)
    mask = torch.full((1, 8), mask_all)
    assert torch.equal(build(name)(flux, mask), torch.zeros(1, 2, 8))


@settings(deadline=None)
@given(level=st.floats(-1e6, 1e6, width=32), length=st.integers(1, 3000))
def test_a_constant_spectrum_standardized_is_zeros(level: float, length: int) -> None:
    assert torch.equal(build("standardize")(torch.full((1, 1, length), level), None), torch.zeros(1, 1, length))


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_becomes_single_precision(name: str) -> None:
    flux = torch.tensor([[[1.0, 2.0, 60000.0, -4.0]]], dtype=torch.float16)
    out = build(name)(flux, None)
    assert out.dtype == torch.float32
    np.testing.assert_allclose(out.numpy(), expected(name, flux.numpy(), np.zeros((1, 4), bool)), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_clip_limits_scaled_values(name: str) -> None:
    flux = torch.linspace(-500, 1000, 101)[None, None]
    free, clipped = build(name)(flux, None), build(name, clip=0.05)(flux, None)
    assert torch.equal(clipped, free.clamp(-0.05, 0.05))


def test_reference_scale_is_100() -> None:
    assert torch.equal(build("scale")(torch.tensor([[[250.0]]]), None), torch.tensor([[[2.5]]]))

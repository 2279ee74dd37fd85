"""Resampling against integrals over pixels that can be done by hand, and its rules for bad pixels and ends."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.data.resampling import Resampler, pixel_edges, pixels_and_gaps


def by_integration(wave: np.ndarray, flux: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Mean of the step function over each grid pixel, pixel by pixel in plain Python."""
    edges, cells = pixel_edges(wave), pixel_edges(grid)
    result = []
    for low, high in pairwise(cells):
        shares = [max(0.0, min(high, b) - max(low, a)) for a, b in pairwise(edges)]
        result.append(float(np.dot(shares, flux) / (high - low)))
    return np.array(result)


@settings(max_examples=25)
@given(
    steps=st.lists(st.floats(0.5, 3.0), min_size=4, max_size=20),
    grid_step=st.floats(0.4, 5.0),
    seed=st.integers(0, 10),
)
def test_flux_is_the_mean_over_each_pixel(steps: list[float], grid_step: float, seed: int) -> None:
    wave = 4000 + np.cumsum(steps)
    rng = np.random.default_rng(seed)
    flux = rng.normal(size=len(wave))
    grid = np.arange(wave[0] - 4, wave[-1] + 4, grid_step)
    result = Resampler(grid)(wave, flux[None])
    np.testing.assert_allclose(
        result.flux[0][~result.mask], by_integration(wave, flux, grid)[~result.mask], rtol=1e-5, atol=1e-5
    )
    edges, cells = pixel_edges(wave), pixel_edges(grid)
    outside = (cells[:-1] < edges[0] - 1e-3) | (cells[1:] > edges[-1] + 1e-3)
    assert result.mask[outside].all()


def test_variance_is_that_of_the_weighted_mean() -> None:
    """Four pixels of 1 Angstrom into one of 4: the mean of four, a sixteenth of the sum of their variances."""
    wave = np.arange(4000.0, 4012.0)
    grid = np.array([4001.5, 4005.5, 4009.5])
    ivar = np.full((1, 12), 2.0)
    ivar[0, 4:8] = [1.0, 2.0, 4.0, 8.0]
    result = Resampler(grid)(wave, np.arange(12.0)[None], ivar)
    np.testing.assert_allclose(result.flux[0], [1.5, 5.5, 9.5])
    np.testing.assert_allclose(result.ivar[0], [8.0, 16 / (1 + 1 / 2 + 1 / 4 + 1 / 8), 8.0], rtol=1e-6)
    assert not result.mask.any()


def test_a_bad_pixel_masks_all_that_it_has_a_share_in_and_its_flux_goes_nowhere() -> None:
    wave = np.arange(4000.0, 4012.0)
    grid = np.arange(4000.0, 4011.0, 1.5)
    flux, mask = np.ones((1, 12)), np.zeros(12, bool)
    flux[0, 5], mask[5] = 1e9, True
    result = Resampler(grid)(wave, flux, mask=mask)
    cells = pixel_edges(grid)
    touched = (cells[1:] > 4004.5) & (cells[:-1] < 4005.5)
    inside = (cells[:-1] >= 3999.5) & (cells[1:] <= 4011.5)
    assert touched.sum() == 2
    np.testing.assert_array_equal(result.mask, touched | ~inside)
    np.testing.assert_allclose(result.flux[0][~result.mask], 1.0)


def test_pixels_that_are_the_grids_own_are_copied_bit_by_bit() -> None:
    """As LAMOST's and SDSS's, which all stand on steps of 1e-4 in log10 of the wavelength."""
    grid = 10 ** (3.57 + 1e-4 * np.arange(3000))
    wave = 10 ** (3.5682 + 1e-4 * np.arange(3900)).astype(np.float32).astype(np.float64)
    flux = np.random.default_rng(0).normal(size=(1, 3900)).astype(np.float32)
    mask = np.arange(3900) == 100
    result = Resampler(grid)(wave, flux, ivar=flux**2, mask=mask)
    np.testing.assert_array_equal(result.flux[0], flux[0, 18:3018])
    np.testing.assert_array_equal(result.ivar[0], (flux**2)[0, 18:3018])
    np.testing.assert_array_equal(np.flatnonzero(result.mask), [82])


def test_a_spectrum_that_covers_a_part_is_masked_elsewhere() -> None:
    grid = np.arange(4000.0, 5000.0, 2.0)
    copied = Resampler(grid)(grid[100:200], np.ones((1, 100)))
    np.testing.assert_array_equal(np.flatnonzero(~copied.mask), np.arange(100, 200))
    averaged = Resampler(grid)(np.arange(4200.3, 4400.0, 1.7), np.ones((1, 118)))
    good = np.flatnonzero(~averaged.mask)
    assert grid[good[0]] - 1 >= 4200.3 - 0.85
    assert grid[good[-1]] + 1 <= 4200.3 + 117.5 * 1.7
    np.testing.assert_allclose(averaged.flux[0, good], 1.0)


def grid_pixels_within(grid: np.ndarray, low: float, high: float) -> np.ndarray:
    cells = pixel_edges(grid)
    return (cells[:-1] >= low) & (cells[1:] <= high)


@pytest.mark.parametrize("falls", [False, True])
def test_a_gap_in_the_wavelengths_is_masked_and_filled_with_nothing(falls: bool) -> None:
    """Pixels next to the gap end half of their own step out; so does a single pixel between two gaps."""
    blue, red = np.arange(4000.0, 4100.0), np.arange(4201.0, 4300.0, 1.5)
    wave = np.concatenate([blue, [4150.0], red])
    flux, ivar = np.random.default_rng(0).normal(size=(2, 1, len(wave)))
    ivar = np.abs(ivar) + 1
    grid = np.arange(3990.03, 4310.0, 0.3)
    turn = slice(None, None, -1 if falls else 1)
    result = Resampler(grid)(wave[turn], flux[:, turn], ivar[:, turn])
    spans = [(3999.5, 4099.5), (4149.5, 4150.5), (4200.25, red[-1] + 0.75)]
    good = np.any([grid_pixels_within(grid, *span) for span in spans], axis=0)
    np.testing.assert_array_equal(~result.mask, good)
    for part in (slice(0, 100), slice(101, None)):
        alone = Resampler(grid)(wave[part], flux[:, part], ivar[:, part])
        there = ~alone.mask
        np.testing.assert_allclose(result.flux[0, there], alone.flux[0, there], rtol=1e-6)
        np.testing.assert_allclose(result.ivar[0, there], alone.ivar[0, there], rtol=1e-6)


def test_next_to_a_gap_pixels_that_are_the_grids_own_are_copied_bit_by_bit() -> None:
    grid = 10 ** (3.57 + 1e-4 * np.arange(3000))
    there = np.delete(np.arange(3000), [*range(700, 1900), *range(2500, 2510)])
    flux, mask = np.random.default_rng(0).normal(size=(1, len(there))).astype(np.float32), np.arange(len(there)) == 5
    result = Resampler(grid)(grid[there], flux, ivar=flux**2, mask=mask)
    np.testing.assert_array_equal(np.flatnonzero(~result.mask), np.delete(there, 5))
    np.testing.assert_array_equal(result.flux[0, there], flux[0])
    np.testing.assert_array_equal(result.ivar[0, there], (flux**2)[0])


STEPS = {
    "log": 4000 * np.diff(10 ** (0.01 * np.arange(100))),
    "one pixel left out": np.r_[np.ones(50), 2, np.ones(50)],
    "an arm of ten times the step": np.r_[np.ones(50), np.full(50, 10.0)],
    "arms that do not touch": np.r_[np.full(50, 0.2), 1.5, np.full(50, 0.6), 2, np.full(50, 2.0)],
    "a coarse arm between fine ones": np.r_[np.full(50, 0.2), np.full(5, 2.0), np.full(50, 0.2)],
    "large ends": np.r_[9, np.ones(50), 9],
    "two pixels": np.ones(1),
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_of_any_kind_that_leave_nothing_out_lose_no_pixel(name: str) -> None:
    wave = 4000 + np.r_[0, np.cumsum(STEPS[name])]
    edges, pixels = pixels_and_gaps(wave)
    np.testing.assert_array_equal(edges, pixel_edges(wave))
    np.testing.assert_array_equal(pixels, np.arange(len(wave)))
    cells = np.linspace(edges[0], edges[-1], 301)
    grid = (cells[1:] + cells[:-1]) / 2
    result = Resampler(grid)(wave, wave[None])
    assert not result.mask.any()
    np.testing.assert_allclose(result.flux[0], by_integration(wave, wave, grid), rtol=1e-6)


def test_falling_wavelengths_are_turned_round() -> None:
    grid, wave = np.arange(4000.0, 4100.0, 3.0), np.arange(4000.0, 4100.0, 1.0)
    flux, ivar, mask = np.arange(100.0)[None], np.arange(1.0, 101.0)[None], np.arange(100) == 50
    resampler = Resampler(grid)
    rising = resampler(wave, flux, ivar, mask)
    falling = resampler(wave[::-1], flux[:, ::-1], ivar[:, ::-1], mask[::-1])
    np.testing.assert_array_equal(rising.flux, falling.flux)
    np.testing.assert_array_equal(rising.ivar, falling.ivar)
    np.testing.assert_array_equal(rising.mask, falling.mask)
    turned = Resampler(grid[::-1])(wave, flux, ivar, mask)
    np.testing.assert_array_equal(turned.flux, rising.flux[:, ::-1])
    np.testing.assert_array_equal(turned.ivar, rising.ivar[:, ::-1])
    np.testing.assert_array_equal(turned.mask, rising.mask[::-1])


def test_a_pixel_that_is_not_finite_is_seen_unless_it_is_masked() -> None:
    grid, wave = np.arange(4000.0, 4100.0, 3.0), np.arange(4000.0, 4100.0, 1.0)
    flux = np.ones((1, 100))
    flux[0, 50] = np.nan
    assert np.isnan(Resampler(grid)(wave, flux).flux).any()
    assert np.isfinite(Resampler(grid)(wave, flux, mask=np.arange(100) == 50).flux).all()


def test_inverse_variance_of_zero_stays_zero() -> None:
    grid, wave = np.arange(4001.0, 4099.0, 3.0), np.arange(4000.0, 4100.0, 1.0)
    ivar = np.ones((1, 100))
    ivar[0, 31] = 0
    result = Resampler(grid)(wave, np.ones((1, 100)), ivar)
    np.testing.assert_array_equal(np.flatnonzero(result.ivar == 0), [10])


@pytest.mark.parametrize(
    ("wave", "reason"),
    [
        (np.array([4000.0, 4002.0, 4001.0, 4003.0]), "neither rise nor fall"),
        (np.array([4000.0, 4001.0, np.nan, 4003.0]), "neither rise nor fall"),
        (np.array([0.0, 4001.0, 4002.0, 4003.0]), "neither rise nor fall"),
        (np.arange(9000.0, 9004.0), "outside the grid: 9000.0 to 9003.0 Angstrom"),
        (np.arange(3.0), "wrong shape"),
    ],
)
def test_wavelengths_that_cannot_be_are_a_reason(wave: np.ndarray, reason: str) -> None:
    resampler = Resampler(np.arange(4000.0, 4100.0))
    for _ in range(2):  # what is kept of the last spectrum is not taken for the next
        with pytest.raises(ValueError, match=reason):
            resampler(wave, np.ones((1, 4)))
        assert resampler(np.arange(4000.0, 4004.0), np.ones((1, 4))).flux[0, 0] == 1

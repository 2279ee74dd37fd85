"""Inverse variances as float32, also those of flux in erg/s/cm2/Angstrom."""

import numpy as np

from spectral.data.ivar import float32_ivar
from spectral.data.packing.row_checks import Rules, check_rows
from spectral.data.readers.contract import Chunk
from spectral.data.resampling import Resampler

LARGEST = np.finfo(np.float32).max
IVAR = np.array([[1e38, 4e38, 1e300, np.inf, np.nan, 0.0]])


def test_the_best_pixels_stay_and_what_is_infinite_is_unknown() -> None:
    given = float32_ivar(IVAR)
    np.testing.assert_array_equal(given, np.array([[1e38, LARGEST, LARGEST, np.inf, np.nan, 0]], np.float32))
    rules = Rules("float32", "error", "error", 1, 6, None)
    checked = check_rows(Chunk([np.ones((1, 6), np.float32)], [given]), rules)
    np.testing.assert_array_equal(checked.arrays["mask"][0], [False, False, False, True, True, True])


def test_the_best_pixels_stay_through_resampling() -> None:
    wave, grid = np.arange(4000.0, 4012.0), np.arange(4001.5, 4010.0, 2.0)
    given = float32_ivar(np.full((1, 12), 3.3e38))
    resampled = Resampler(grid)(wave, np.ones((1, 12), np.float32), given)
    assert resampled.ivar is not None
    np.testing.assert_array_equal(resampled.ivar, np.full((1, 5), LARGEST))


def test_float32_and_whole_numbers_are_as_they_are() -> None:
    single = np.array([[1, 2]], np.float32)
    assert float32_ivar(single) is single
    np.testing.assert_array_equal(float32_ivar(np.array([[1, 2]])), single)

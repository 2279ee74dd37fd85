"""The threshold below which predictions are rejected."""

import numpy as np
import pytest

from spectral.errors import UserError
from spectral.prediction.rejection import judged, threshold_for

CONFIDENCE = np.array([0.6, 0.95, 0.7, 0.9, 0.8, 0.7], np.float32)
IS_RIGHT = np.array([False, True, True, True, False, True])
ONES = np.ones(6)


def test_the_lowest_threshold_of_a_precision_is_found() -> None:
    """Sorted: .95 right, .9 right, .8 wrong, .7 right, .7 right, .6 wrong; precision 1, 1, 2/3, -, 4/5, 4/6."""
    found = threshold_for(0.8, CONFIDENCE, IS_RIGHT, ONES)
    assert found.probability == pytest.approx(0.7) and found.num_kept == 5
    assert (found.kept, found.precision) == (pytest.approx(5 / 6), pytest.approx(0.8))
    assert threshold_for(0.9, CONFIDENCE, IS_RIGHT, ONES).num_kept == 2
    assert threshold_for(0.6, CONFIDENCE, IS_RIGHT, ONES).num_kept == 6


def test_spectra_of_one_probability_are_kept_or_rejected_together() -> None:
    """After the first .7 the precision is 3/4, but the second has the same probability."""
    found = threshold_for(0.75, CONFIDENCE, IS_RIGHT, ONES)
    assert found.num_kept == 5


def test_exactly_the_spectra_counted_are_kept() -> None:
    found = threshold_for(0.8, CONFIDENCE, IS_RIGHT, ONES)
    assert found.rejects(CONFIDENCE).tolist() == [True, False, False, False, False, False]
    assert found.rejects(np.array([np.nan], np.float32)).tolist() == [True]


def test_a_precision_that_is_not_reached_is_refused_with_the_best() -> None:
    is_right = IS_RIGHT.copy()
    is_right[1] = False  # the most confident is wrong
    with pytest.raises(UserError, match=r"reject=0\.99 is not reached .* the best is 0\.6000, of 5 of 6 spectra"):
        threshold_for(0.99, CONFIDENCE, is_right, ONES)


def test_weights_stand_for_other_class_shares() -> None:
    """The wrong one of .8 counts for three: precision after it is 2/5, after the two of .7 it is 4/7."""
    weights = np.where(np.float32(0.8) == CONFIDENCE, 3.0, 1.0)
    found = threshold_for(0.55, CONFIDENCE, IS_RIGHT, weights)
    assert (found.num_kept, found.precision, found.kept) == (5, pytest.approx(4 / 7), pytest.approx(7 / 8))


def test_a_given_threshold_is_judged() -> None:
    found = judged(0.75, CONFIDENCE, IS_RIGHT, ONES)
    assert (found.num_kept, found.kept, found.precision) == (3, pytest.approx(0.5), pytest.approx(2 / 3))
    assert judged(1.0, CONFIDENCE, IS_RIGHT, ONES).precision is None

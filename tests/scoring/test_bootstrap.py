"""Bootstrap intervals of macro-F1 against resampling the spectra themselves."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from spectral.scoring.bootstrap import bootstrap_interval, paired_bootstrap_interval


def outcome(num_rows, error_rate, seed, num_classes=4):
    rng = np.random.default_rng(seed)
    labels = rng.choice(num_classes, num_rows, p=[0.7, 0.15, 0.1, 0.05])
    wrong = rng.random(num_rows) < error_rate
    return labels, np.where(wrong, rng.integers(0, num_classes, num_rows), labels)


def macro_f1(labels, predicted):
    """The macro-F1 of scikit-learn, a hundred times as fast."""
    num_true, num_predicted = np.bincount(labels, minlength=4), np.bincount(predicted, minlength=4)
    num_right = np.bincount(labels[labels == predicted], minlength=4)
    return np.mean(2 * num_right / np.maximum(num_true + num_predicted, 1))


def test_the_fast_macro_f1_of_these_tests_is_that_of_scikit_learn():
    labels, predicted = outcome(300, 0.2, seed=0)
    for rows in (slice(None), labels != 3, labels == 0):
        truth, guess = labels[rows], predicted[rows]
        expected = f1_score(truth, guess, labels=range(4), average="macro", zero_division=0)
        assert macro_f1(truth, guess) == pytest.approx(expected)


def test_intervals_agree_with_resampling_rows():
    labels, predicted = outcome(300, 0.2, seed=0)
    rng = np.random.default_rng(1)
    resampled = [macro_f1(labels[rows], predicted[rows]) for rows in rng.integers(0, 300, (800, 300))]
    low, high = bootstrap_interval(labels, predicted, 4, seed=2)
    # A 2.5 % quantile of 800 draws has a standard error of about 0.11 standard deviations of the statistic.
    np.testing.assert_allclose([low, high], np.quantile(resampled, [0.025, 0.975]), atol=0.45 * np.std(resampled))
    assert low < macro_f1(labels, predicted) < high


def test_intervals_are_reproducible_and_narrower_at_lower_confidence():
    labels, predicted = outcome(300, 0.2, seed=0)
    wide = bootstrap_interval(labels, predicted, 4, seed=3, num_resamples=500)
    assert wide == bootstrap_interval(labels, predicted, 4, seed=3, num_resamples=500)
    narrow = bootstrap_interval(labels, predicted, 4, seed=3, num_resamples=500, confidence=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_a_perfect_prediction_has_an_interval_of_zero_width():
    labels = np.repeat([0, 1, 2, 3], 50)
    assert bootstrap_interval(labels, labels, 4, seed=0) == (1.0, 1.0)


def test_an_absent_class_counts_as_zero():
    labels = np.repeat([0, 1, 2], 50)
    assert bootstrap_interval(labels, labels, 4, seed=0) == (0.75, 0.75)


def test_a_prediction_compared_with_itself_has_no_difference():
    labels, predicted = outcome(300, 0.2, seed=0)
    assert paired_bootstrap_interval(labels, predicted, predicted, 4, seed=0) == (0.0, 0.0)


def test_pairing_shows_a_difference_that_separate_intervals_hide():
    labels, worse = outcome(2000, 0.15, seed=5)
    better = worse.copy()
    corrected = np.flatnonzero(worse != labels)[::8]
    better[corrected] = labels[corrected]
    low, high = paired_bootstrap_interval(labels, better, worse, 4, seed=6)
    assert 0 < low < macro_f1(labels, better) - macro_f1(labels, worse) < high
    assert bootstrap_interval(labels, worse, 4, seed=6)[1] > bootstrap_interval(labels, better, 4, seed=6)[0]
    reverse = paired_bootstrap_interval(labels, worse, better, 4, seed=6)
    assert reverse == pytest.approx((-high, -low), abs=0.002)


def test_several_runs_are_resampled_together():
    """The mean over runs, against resampling rows: each spectrum is drawn for all runs at once."""
    labels, first = outcome(300, 0.2, seed=0)
    runs = np.stack([first, *(np.where(np.arange(300) % 7 == k, labels, first) for k in (1, 2))])
    other = np.stack([outcome(300, 0.3, seed=0)[1]] * 2)

    def mean(rows, predicted):
        return np.mean([macro_f1(labels[rows], row[rows]) for row in predicted])

    rng = np.random.default_rng(1)
    drawn = rng.integers(0, 300, (400, 300))
    means = [mean(rows, runs) for rows in drawn]
    differences = [mean(rows, runs) - mean(rows, other) for rows in drawn]
    for interval, resampled in (
        (bootstrap_interval(labels, runs, 4, seed=2), means),
        (paired_bootstrap_interval(labels, runs, other, 4, seed=2), differences),
    ):
        # A 2.5 % quantile of 400 draws has a standard error of about 0.13 standard deviations of the statistic.
        np.testing.assert_allclose(interval, np.quantile(resampled, [0.025, 0.975]), atol=0.5 * np.std(resampled))

"""Bootstrap intervals of macro-F1 against resampling the spectra themselves."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from spectral.scoring.bootstrap import bootstrap_interval, group_numbers, paired_bootstrap_interval


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
    low, high = bootstrap_interval(labels, predicted, seed=2)
    # A 2.5 % quantile of 800 draws has a standard error of about 0.11 standard deviations of the statistic.
    np.testing.assert_allclose([low, high], np.quantile(resampled, [0.025, 0.975]), atol=0.45 * np.std(resampled))
    assert low < macro_f1(labels, predicted) < high


def test_intervals_are_reproducible_and_narrower_at_lower_confidence():
    labels, predicted = outcome(300, 0.2, seed=0)
    wide = bootstrap_interval(labels, predicted, seed=3, num_resamples=500)
    assert wide == bootstrap_interval(labels, predicted, seed=3, num_resamples=500)
    narrow = bootstrap_interval(labels, predicted, seed=3, num_resamples=500, confidence=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_a_perfect_prediction_has_an_interval_of_zero_width():
    labels = np.repeat([0, 1, 2, 3], 50)
    assert bootstrap_interval(labels, labels, seed=0) == (1.0, 1.0)


def test_a_class_that_is_not_there_counts_for_nothing():
    labels = np.repeat([0, 1, 3], 50)
    assert bootstrap_interval(labels, labels, seed=0) == (1.0, 1.0)


def test_the_interval_of_a_class_of_one_spectrum_allows_for_what_is_not_known():
    """One quasar that is missed, or found, says next to nothing of how many are found."""
    labels, predicted = outcome(300, 0.1, seed=0)
    predicted = np.where(labels == 3, 3, np.where(predicted == 3, 0, predicted))
    few = np.concatenate([np.flatnonzero(labels != 3), np.flatnonzero(labels == 3)[:1]])
    labels, found = labels[few], predicted[few]
    missed = np.where(labels == 3, 0, found)
    without = macro_f1(labels[:-1], found[:-1]) * 4  # the sum over the other three classes
    for said in (found, missed):
        low, high = bootstrap_interval(labels, said, seed=1)
        assert low < without / 4 and high > (without + 0.8) / 4


@pytest.mark.parametrize("num_classes", [4, 30, 100])
@pytest.mark.parametrize("num_each", [2, 5, 9])
def test_many_small_classes_that_are_all_right_may_be_so(num_classes, num_each):
    """A classifier that is always right has macro-F1 1, however few spectra of each class are there."""
    labels = np.repeat(np.arange(num_classes), num_each)
    low, high = bootstrap_interval(labels, labels, seed=0, num_resamples=500)
    assert low < high == 1


@pytest.mark.parametrize("num_each", [3, 5])
def test_the_interval_of_many_small_classes_contains_their_score(num_each):
    labels = np.repeat(np.arange(30), num_each)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        predicted = np.where(rng.random(len(labels)) < 0.9, labels, rng.integers(0, 30, len(labels)))
        score = f1_score(labels, predicted, labels=range(30), average="macro", zero_division=0)
        low, high = bootstrap_interval(labels, predicted, seed=seed, num_resamples=500)
        assert low < score < high


def test_groups_are_resampled_as_a_whole():
    """Forty objects of three spectra each, right or wrong together, are as uncertain as forty spectra."""
    labels, predicted = outcome(40, 0.3, seed=4)
    tripled = [np.repeat(column, 3) for column in (labels % 2, predicted % 2)]
    objects = np.repeat(np.arange(40), 3)
    alone = bootstrap_interval(labels % 2, predicted % 2, seed=0)
    together = bootstrap_interval(*tripled, seed=0, groups=objects)
    apart = bootstrap_interval(*tripled, seed=0)
    assert together == pytest.approx(alone, abs=0.06)
    assert apart[1] - apart[0] < 0.7 * (together[1] - together[0])
    other = np.repeat(labels % 2, 3)
    paired, unpaired = (
        paired_bootstrap_interval(tripled[0], other, tripled[1], seed=0, groups=groups) for groups in (objects, None)
    )
    assert unpaired[1] - unpaired[0] < 0.7 * (paired[1] - paired[0])


def test_intervals_agree_with_resampling_objects():
    """Objects of one to three spectra, against drawing the objects themselves."""
    labels, predicted = outcome(400, 0.2, seed=0)
    objects = np.sort(np.random.default_rng(1).integers(0, 200, 400))
    rows_of = [np.flatnonzero(objects == name) for name in np.unique(objects)]
    rng, scores = np.random.default_rng(2), []
    for drawn in rng.integers(0, len(rows_of), (800, len(rows_of))):
        rows = np.concatenate([rows_of[number] for number in drawn])
        scores.append(macro_f1(labels[rows], predicted[rows]))
    interval = bootstrap_interval(labels, predicted, seed=3, groups=objects)
    # A 2.5 % quantile of 800 draws has a standard error of about 0.11 standard deviations of the statistic.
    np.testing.assert_allclose(interval, np.quantile(scores, [0.025, 0.975]), atol=0.45 * np.std(scores))


def test_a_spectrum_without_a_group_is_an_object_of_its_own():
    assert group_numbers(pd.Series(["a", None, "a", None, "b"])).tolist() == [0, 2, 0, 3, 1]


def test_a_prediction_compared_with_itself_has_no_difference():
    labels, predicted = outcome(300, 0.2, seed=0)
    assert paired_bootstrap_interval(labels, predicted, predicted, seed=0) == (0.0, 0.0)


def test_pairing_shows_a_difference_that_separate_intervals_hide():
    labels, worse = outcome(2000, 0.15, seed=5)
    better = worse.copy()
    corrected = np.flatnonzero(worse != labels)[::8]
    better[corrected] = labels[corrected]
    low, high = paired_bootstrap_interval(labels, better, worse, seed=6)
    assert 0 < low < macro_f1(labels, better) - macro_f1(labels, worse) < high
    assert bootstrap_interval(labels, worse, seed=6)[1] > bootstrap_interval(labels, better, seed=6)[0]
    reverse = paired_bootstrap_interval(labels, worse, better, seed=6)
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
        (bootstrap_interval(labels, runs, seed=2), means),
        (paired_bootstrap_interval(labels, runs, other, seed=2), differences),
    ):
        # A 2.5 % quantile of 400 draws has a standard error of about 0.13 standard deviations of the statistic.
        np.testing.assert_allclose(interval, np.quantile(resampled, [0.025, 0.975]), atol=0.5 * np.std(resampled))

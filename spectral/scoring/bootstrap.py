"""Uncertainty of macro-F1 from the finite number of spectra. R resamples, M distinct outcomes, S runs, K classes.

A resample of n spectra with replacement is a multinomial draw of how often each distinct outcome (label, prediction)
occurs, so that no spectrum is ever copied.
"""

import numpy as np
from numpy.typing import NDArray

from spectral.scoring.metrics import Labels

Floats = NDArray[np.float64]


def bootstrap_interval(
    labels: Labels, predicted: Labels, num_classes: int, seed: int, num_resamples: int = 2000, confidence: float = 0.95
) -> tuple[float, float]:
    """The percentile bootstrap interval (low, high) of macro-F1 (Efron & Tibshirani 1993, section 13.3).

    Args:
        predicted: [n], or [S, n] of several runs: then of the mean of their macro-F1, on the same resamples.
    """
    outcomes, counts = _resample(np.vstack([labels, predicted]), seed, num_resamples)
    return _interval(_mean_macro_f1(counts, outcomes[0], outcomes[1:], num_classes), confidence)


def paired_bootstrap_interval(
    labels: Labels,
    predicted: Labels,
    other: Labels,
    num_classes: int,
    seed: int,
    num_resamples: int = 2000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """The interval of macro-F1 of `predicted` less that of `other`, on the same resamples of the spectra.

    Args:
        predicted, other: each [n], or [S, n] of several runs, whose mean is taken.
    """
    outcomes, counts = _resample(np.vstack([labels, predicted, other]), seed, num_resamples)
    first_of_other = 1 + len(np.atleast_2d(predicted))
    mine, theirs = outcomes[1:first_of_other], outcomes[first_of_other:]
    difference = _mean_macro_f1(counts, outcomes[0], mine, num_classes) - _mean_macro_f1(
        counts, outcomes[0], theirs, num_classes
    )
    return _interval(difference, confidence)


def _resample(columns: Labels, seed: int, num_resamples: int) -> tuple[Labels, Labels]:
    """The distinct outcomes [., M] of columns [., n], and how often each occurs in every resample [R, M]."""
    outcomes, observed = np.unique(columns, axis=1, return_counts=True)
    size = columns.shape[1]
    return outcomes, np.random.default_rng(seed).multinomial(size, observed / size, size=num_resamples)


def _mean_macro_f1(counts: Labels, label: Labels, predicted: Labels, num_classes: int) -> Floats:
    """The mean over runs of macro-F1 [R], of predictions [S, M]."""
    mean: Floats = np.mean([_macro_f1(counts, label, row, num_classes) for row in predicted], axis=0)
    return mean


def _macro_f1(counts: Labels, label: Labels, predicted: Labels, num_classes: int) -> Floats:
    """Macro-F1 [R] of counts [R, M] of outcomes with label [M] and prediction [M]; an undefined F1 is 0."""
    true, called = (np.eye(num_classes, dtype=np.int64)[classes] for classes in (label, predicted))
    positive = 2 * counts @ (true * called)
    total = counts @ (true + called)
    macro: Floats = (positive / np.maximum(total, 1)).mean(1)
    return macro


def _interval(values: Floats, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)

"""Uncertainty of macro-F1 from the finite number of spectra. R resamples, M distinct outcomes, S runs, K classes.

A resample of n spectra with replacement is a multinomial draw of how often each distinct outcome (label, prediction)
occurs, so that no spectrum is ever copied.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.scoring.few import FEW
from spectral.scoring.metrics import Labels

Floats = NDArray[np.float64]
JEFFREYS = 0.5


def bootstrap_interval(
    labels: Labels,
    predicted: Labels,
    seed: int,
    num_resamples: int = 2000,
    confidence: float = 0.95,
    groups: Labels | None = None,
) -> tuple[float, float]:
    """The percentile bootstrap interval (low, high) of macro-F1 (Efron & Tibshirani 1993, section 13.3).

    Resampling alone takes the few spectra of a rare class for all that there is: one quasar that is missed is missed in
    each resample. So the hits and misses of a class with fewer than 10 spectra are drawn from what those few leave
    open, a Dirichlet distribution with Jeffreys' 1/2 added for a hit and for a miss of all runs. Several such classes
    share the two halves.

    Args:
        predicted: [n], or [S, n] of several runs: then of the mean of their macro-F1, on the same resamples.
        groups: [n], a number for each object: objects are then resampled, with all their spectra.
    """
    columns, random = np.vstack([labels, predicted]), np.random.default_rng(seed)
    outcomes, counts = _resample(columns, groups, random, num_resamples)
    outcomes, counts = _open_rare(outcomes, counts, columns, groups, random)
    return _interval(_mean_macro_f1(counts, outcomes[0], outcomes[1:], np.unique(labels)), confidence)


def paired_bootstrap_interval(
    labels: Labels,
    predicted: Labels,
    other: Labels,
    seed: int,
    num_resamples: int = 2000,
    confidence: float = 0.95,
    groups: Labels | None = None,
) -> tuple[float, float]:
    """The interval of macro-F1 of `predicted` less that of `other`, on the same resamples of the spectra.

    Args:
        predicted, other: each [n], or [S, n] of several runs, whose mean is taken.
        groups: [n], a number for each object: objects are then resampled, with all their spectra.
    """
    columns, random = np.vstack([labels, predicted, other]), np.random.default_rng(seed)
    outcomes, counts = _resample(columns, groups, random, num_resamples)
    classes = np.unique(labels)
    first_of_other = 1 + len(np.atleast_2d(predicted))
    mine, theirs = outcomes[1:first_of_other], outcomes[first_of_other:]
    difference = _mean_macro_f1(counts, outcomes[0], mine, classes) - _mean_macro_f1(
        counts, outcomes[0], theirs, classes
    )
    return _interval(difference, confidence)


def group_numbers(groups: "pd.Series[Any]") -> Labels:
    """A number for each object [n]: that of its group, or one of its own if the group is missing."""
    numbers = pd.factorize(groups)[0].astype(np.int64)
    alone = numbers < 0
    numbers[alone] = numbers.max(initial=-1) + 1 + np.arange(alone.sum())
    return numbers


def _resample(
    columns: Labels, groups: Labels | None, random: np.random.Generator, num_resamples: int
) -> tuple[Labels, Labels]:
    """The distinct outcomes [., M] of columns [., n], and how often each occurs in every resample [R, M].

    With groups, as many groups are drawn as there are. Those with the same outcomes are alike, so one stands for all.
    """
    outcomes, outcome, observed = np.unique(columns, axis=1, return_inverse=True, return_counts=True)
    size, num_outcomes = columns.shape[1], outcomes.shape[1]
    if groups is None:
        return outcomes, random.multinomial(size, observed / size, size=num_resamples)
    outcome, group = outcome.ravel(), np.unique(groups, return_inverse=True)[1]
    # A sum of random numbers of 64 bits is that of the same outcomes, but for a chance of 2^-64.
    sums = np.zeros(group.max() + 1, dtype=np.uint64)
    numbers = random.integers(0, 2**64, size=(num_outcomes,), dtype=np.uint64)
    np.add.at(sums, group, numbers[outcome])
    _, first, alike, num_alike = np.unique(sums, return_index=True, return_inverse=True, return_counts=True)
    of_first = first[alike[group]] == group
    outcome, kind, share = outcome[of_first], alike[group[of_first]], num_alike / len(sums)
    counts = np.empty((num_resamples, num_outcomes), dtype=np.int64)
    for resample in counts:
        times = random.multinomial(len(sums), share)
        resample[:] = np.bincount(outcome, weights=times[kind], minlength=num_outcomes)
    return outcomes, counts


def _open_rare(
    outcomes: Labels, counts: Labels, columns: Labels, groups: Labels | None, random: np.random.Generator
) -> tuple[Labels, Labels]:
    """Outcomes and counts with the hits and misses of a rare class drawn from what its few spectra leave open."""
    labels, num_runs = columns[0], len(columns) - 1
    classes, sizes = np.unique(labels, return_counts=True)
    nums = [len(np.unique(groups[labels == label])) for label in classes] if groups is not None else sizes.tolist()
    rare = {label: num for label, num in zip(classes, nums, strict=True) if num < FEW and len(classes) > 1}
    for label, num in rare.items():
        missed_as = classes[np.where(classes == label, 0, sizes).argmax()]
        of_it = np.flatnonzero(outcomes[0] == label)
        observed = np.array([(columns == outcomes[:, [k]]).all(0).sum() for k in of_it])
        added = JEFFREYS / len(rare)  # a half for each would pull the mean down by as many halves
        chance = random.dirichlet([*(observed * num / observed.sum()), added, added], len(counts))
        drawn = random.multinomial(counts[:, of_it].sum(1), chance)
        counts[:, of_it] = drawn[:, :-2]
        hit, miss = ([label, *[called] * num_runs] for called in (label, missed_as))
        outcomes, counts = np.hstack([outcomes, np.array([hit, miss]).T]), np.hstack([counts, drawn[:, -2:]])
    return outcomes, counts


def _mean_macro_f1(counts: Labels, label: Labels, predicted: Labels, classes: Labels) -> Floats:
    """The mean over runs of macro-F1 [R], of predictions [S, M], over the classes that have labels."""
    mean: Floats = np.mean([_macro_f1(counts, label, row, classes) for row in predicted], axis=0)
    return mean


def _macro_f1(counts: Labels, label: Labels, predicted: Labels, classes: Labels) -> Floats:
    """Macro-F1 [R] of counts [R, M] of outcomes with label [M] and prediction [M], over the classes drawn in each."""
    true, called = ((of[:, None] == classes).astype(np.int64) for of in (label, predicted))
    num_true, hits = counts @ true, counts @ (true * called)
    f1 = 2 * hits / np.maximum(num_true + counts @ called, 1)
    macro: Floats = f1.mean(axis=1, where=num_true > 0)
    return macro


def _interval(values: Floats, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)

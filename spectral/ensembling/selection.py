"""Which networks an ensemble is made of, and with which weights. M candidates, n spectra, K classes.

Source: Caruana, Niculescu-Mizil, Crew and Ksikes 2004, "Ensemble selection from libraries of models" (ICML): greedy
selection with replacement, begun with the best few, repeated over random halves of the candidates.
"""

import numpy as np
from numpy.typing import NDArray

from spectral.scoring.metrics import Labels

Places = NDArray[np.int64]
Weights = NDArray[np.float64]
MOST_STEPS = 30  # networks in one bag, each counted as often as it was taken
MOST_FIRST = 5  # of the best candidates, with which a bag may begin
FEWEST_IN_BAG = 10  # candidates: half of a few would often lack the only good one
LEAST_GAIN = 1e-6  # in nats: less is the rounding of float32, by which copies of one network differ
LEAST = 1e-12  # taken for a smaller probability, whose logarithm is not finite

Score = tuple[float, float]  # macro-F1, and what decides between equal ones: minus the log loss in nats


def select_greedily(probabilities: NDArray[np.floating], labels: Labels, num_bags: int, seed: int) -> Weights:
    """The weight of each candidate [M]: the mean over the bags of its share of a bag's networks.

    Args:
        probabilities: of each candidate [M, n, K], at one class prior.
        labels: [n].
        num_bags: 1 takes all candidates at once; more draw half of them each, but no fewer than 10, or all.
        seed: of the bags.
    """
    num = len(probabilities)
    random, weights = np.random.default_rng(seed), np.zeros(num)
    num_bags = 1 if num <= FEWEST_IN_BAG else num_bags
    scorer = Scorer(labels, probabilities.shape[2])
    by_label = np.asarray(probabilities, dtype=np.float32)[:, np.argsort(labels, kind="stable")]
    by_class = np.ascontiguousarray(np.moveaxis(by_label, 2, 0))  # [K, M, n]
    for _ in range(num_bags):
        size = num if num_bags == 1 else max(FEWEST_IN_BAG, (num + 1) // 2)
        bag = np.sort(random.choice(num, size, replace=False))
        weights[bag] += _select(by_class[:, bag], scorer) / num_bags
    return weights


def _select(by_class: NDArray[np.float32], scorer: "Scorer") -> Weights:
    """The share of each candidate of one bag [M] among the networks that are taken; `by_class`: [K, M, n]."""
    order = scorer.order(by_class)
    first = order[:MOST_FIRST]
    sums = by_class[:, first].cumsum(axis=1, dtype=np.float32)
    nums = np.arange(1, len(first) + 1, dtype=np.float32)
    start, best = scorer.best(np.divide(sums, nums[:, None], dtype=np.float32))
    taken = list(first[: start + 1])
    total, found = sums[:, start], list(taken)
    while len(taken) < MOST_STEPS:
        chosen, score = scorer.best((total[:, None] + by_class) / np.float32(len(taken) + 1))
        taken.append(chosen)
        total = total + by_class[:, chosen]
        if _is_better(score, best):
            best, found = score, list(taken)
    return np.bincount(found, minlength=by_class.shape[1]) / len(found)


def _is_better(score: Score, best: Score) -> bool:
    return score[0] > best[0] or (score[0] == best[0] and score[1] > best[1] + LEAST_GAIN)


class Scorer:
    """Scores many averages at once on the same spectra, which lie sorted by class: so each class is one slice.

    Args:
        labels: [n], in 0..K-1, in any order.
        num_classes: K.
    """

    def __init__(self, labels: Labels, num_classes: int) -> None:
        self._support = np.bincount(labels, minlength=num_classes)
        ends = self._support.cumsum()
        self._slices = [slice(end - num, end) for end, num in zip(ends, self._support, strict=True)]

    def best(self, by_class: NDArray[np.float32]) -> tuple[int, Score]:
        """Which of some averages [K, M, n] is the best, the first of equal ones, and its score."""
        f1, log_loss = self._scores(by_class)
        place = int(np.lexsort((log_loss, -f1))[0])
        return place, (float(f1[place]), float(-log_loss[place]))

    def order(self, by_class: NDArray[np.float32]) -> Places:
        """Places of averages [K, M, n], the best first."""
        f1, log_loss = self._scores(by_class)
        return np.lexsort((log_loss, -f1))

    def _scores(self, by_class: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Macro-F1 [M] over the classes with labels, and log loss [M] in nats."""
        # Class by class: argmax along a last axis of a few classes takes many times as long.
        highest = by_class.max(axis=0)
        f1, log_loss, is_free = [], np.zeros(by_class.shape[1]), np.ones(highest.shape, dtype=bool)
        for k, (part, num) in enumerate(zip(self._slices, self._support, strict=True)):
            is_called = (by_class[k] == highest) & is_free  # of equal classes the first one, as argmax
            is_free &= ~is_called
            if num:
                hits, called = (np.count_nonzero(cells, axis=1) for cells in (is_called[:, part], is_called))
                f1.append(2 * hits / (num + called))
                logs = np.log(np.maximum(by_class[k][:, part], LEAST))
                log_loss -= logs.sum(axis=1, dtype=np.float64)
        return np.mean(f1, axis=0), log_loss / self._support.sum()

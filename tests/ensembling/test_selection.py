"""Greedy selection against a slow one by scikit-learn's scores, and against all possible ensembles."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score, log_loss

from spectral.ensembling import selection
from spectral.ensembling.selection import select_greedily


def drawn(seed: int, num: int = 4, size: int = 60) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Probabilities [num, size, 3] of candidates that are right in other spectra, and labels."""
    random = np.random.default_rng(seed)
    labels = np.sort(random.integers(0, 3, size))[random.permutation(size)]
    logits = np.eye(3)[labels] + 1.3 * random.normal(size=(num, size, 3))
    probability = np.exp(logits)
    return (probability / probability.sum(axis=2, keepdims=True)).astype(np.float32), labels


def score(probability: NDArray[np.floating], labels: NDArray[np.int64]) -> tuple[float, float]:
    normed = probability / probability.sum(axis=1, keepdims=True)
    return float(f1_score(labels, normed.argmax(axis=1), average="macro")), -float(log_loss(labels, normed))


def slowly(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> list[int]:
    """As Caruana et al. 2004 describe it: begin with the best few, then add what makes the average best."""

    def of(taken: list[int]) -> tuple[float, float]:
        return score(np.mean([probabilities[k] for k in taken], axis=0), labels)

    order = sorted(range(len(probabilities)), key=lambda k: of([k]), reverse=True)
    taken = max((order[: num + 1] for num in range(min(5, len(order)))), key=of)
    best = taken
    while len(taken) < selection.MOST_STEPS:
        taken = max(([*taken, k] for k in range(len(probabilities))), key=of)
        best = max(best, taken, key=of)
    return [best.count(k) for k in range(len(probabilities))]


@pytest.mark.parametrize("seed", range(3))
def test_one_bag_takes_what_the_slow_selection_takes(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_STEPS", 8)
    probabilities, labels = drawn(seed)
    found, expected = (
        select_greedily(probabilities, labels, num_bags=1, seed=0),
        np.array(slowly(probabilities, labels)),
    )
    # As weights: all candidates twice and all once are the same ensemble.
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum())


def test_no_ensemble_of_up_to_three_is_better_in_the_score_that_is_sought() -> None:
    probabilities, labels = drawn(1)
    counts = select_greedily(probabilities, labels, num_bags=1, seed=0)
    found = score(np.tensordot(counts / counts.sum(), probabilities, 1), labels)[0]
    possible = (c for num in (1, 2, 3) for c in itertools.combinations_with_replacement(range(4), num))
    assert found >= max(score(np.mean(probabilities[list(chosen)], axis=0), labels)[0] for chosen in possible)


def test_a_class_without_labels_and_equal_probabilities_are_scored_as_argmax_does() -> None:
    labels = np.array([0, 0, 2, 2, 2])
    alike = np.full((5, 3), 1 / 3, dtype=np.float32)
    right = np.eye(3, dtype=np.float32)[labels] * 0.8 + 0.1
    f1 = [f1_score(labels, p.argmax(axis=1), labels=[0, 2], average="macro") for p in (alike, right)]
    scorer = selection.Scorer(labels, 3)
    by_class = np.stack([alike, right]).transpose(2, 0, 1)[:, :, np.argsort(labels, kind="stable")]
    assert scorer.best(by_class)[0] == 1
    assert scorer.best(by_class[:, :1])[1][0] == pytest.approx(f1[0])
    assert scorer.best(by_class)[1][0] == pytest.approx(f1[1])


@pytest.mark.parametrize("num", [2, 3])
def test_of_few_candidates_a_useless_one_is_left_out(num: int) -> None:
    labels = np.arange(30) % 3
    right = np.eye(3)[labels] * 0.8 + 0.2 / 3
    useless = np.eye(3)[np.zeros(30, dtype=np.int64)] * 0.9 + 0.1 / 3
    counts = select_greedily(np.stack([useless, *[right] * (num - 1)]), labels, num_bags=20, seed=0)
    assert counts[0] == 0 and counts[1:].sum() > 0


@pytest.mark.parametrize("num_bags", [1, 20])
def test_copies_of_one_network_are_that_network(num_bags: int) -> None:
    """Averages of copies differ by rounding: a bag is not to have more say the more copies it took."""
    labels = np.arange(400) % 4
    right = (np.eye(4)[labels] + 0.37) / (1 + 4 * 0.37)
    others = [np.roll(right, shift, axis=1) for shift in (1, 2)]
    weights = select_greedily(np.stack([others[0], right, others[1]]), labels, num_bags, seed=0)
    assert weights.tolist() == [0, 1, 0]


def test_of_few_candidates_each_bag_has_all() -> None:
    probabilities, labels = drawn(5, num=10)
    one, many = (select_greedily(probabilities, labels, num_bags, seed=3) for num_bags in (1, 20))
    assert np.array_equal(one, many)


def test_bags_draw_half_of_the_candidates_by_their_seed() -> None:
    probabilities, labels = drawn(3, num=24)
    weights = select_greedily(probabilities, labels, num_bags=12, seed=4)
    assert (weights > 0).sum() > 5 and weights.sum() == pytest.approx(1)
    assert np.array_equal(weights, select_greedily(probabilities, labels, num_bags=12, seed=4))
    assert not np.array_equal(weights, select_greedily(probabilities, labels, num_bags=12, seed=5))


def test_each_bag_has_the_same_say() -> None:
    """Shares of a bag are of its own networks: bags of two and of twenty networks count alike."""
    probabilities, labels = drawn(7, num=24)
    bags = [select_greedily(probabilities, labels, num_bags, seed=2) for num_bags in (2, 3)]
    third = 3 * bags[1] - 2 * bags[0]  # the third bag, since the first two are drawn alike
    assert third.sum() == pytest.approx(1) and third.min() > -1e-9

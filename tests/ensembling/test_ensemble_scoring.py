"""Scores of an ensemble on validation: what was selected and fitted there must not be scored on the same labels."""

import functools

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from spectral.ensembling.runs import SplitPredictions
from spectral.ensembling.scoring import average, score_validation
from spectral.ensembling.selection import select_greedily
from spectral.errors import UserError
from spectral.scoring.cross_fitting import decide_validation
from spectral.scoring.decision import Decision

NAMES = ["a", "b", "c"]


def predicted(probability: NDArray[np.float64], labels: NDArray[np.int64]) -> SplitPredictions:
    return SplitPredictions(np.array([f"s{k}" for k in range(len(labels))]), labels, probability, None)


def weights(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = select_greedily(probabilities, labels, num_bags=3, seed=0)
    return np.asarray(counts / counts.sum())


def test_candidates_of_noise_gain_nothing() -> None:
    """Selected among forty that know nothing, the labels that it was selected by say it is better than chance."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 150)
    candidates = [predicted(random.dirichlet(np.ones(3), 150), labels) for _ in range(40)]
    make_rule = functools.partial(Decision, 3, None, 20)
    scores = score_validation(candidates, weights, make_rule, NAMES, seed=0, scores_decision=False)
    chance = 1 / 3
    whole = average(np.stack([part.probability for part in candidates]), scores.weights)
    assert f1_score(labels, whole.argmax(axis=1), average="macro") > chance + 0.08
    assert abs(scores.metrics["val/macro_f1"] - chance) < 0.06
    assert abs(scores.metrics["val/decision/macro_f1"] - chance) < 0.06


def test_equal_weights_are_scored_as_the_average_is() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 90)
    candidates = [predicted(random.dirichlet(np.ones(3), 90) * 0.6 + 0.4 * np.eye(3)[labels], labels) for _ in range(3)]
    make_rule = functools.partial(Decision, 3, None, 20)
    scores = score_validation(candidates, None, make_rule, NAMES, seed=2, scores_decision=False)
    mean = np.mean([part.probability for part in candidates], axis=0)
    assert scores.metrics["val/macro_f1"] == pytest.approx(f1_score(labels, mean.argmax(axis=1), average="macro"))
    table = scores.predictions()
    decided = np.array(NAMES)[decide_validation(make_rule, mean, labels, 2)]
    assert table["predicted"].tolist() == decided.tolist()
    np.testing.assert_allclose(table[[f"probability/{name}" for name in NAMES]], mean, rtol=1e-6)


def test_objects_are_resampled_and_kept_in_the_predictions() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 60)
    groups = pd.Series([f"g{k // 3}" for k in range(60)])
    one = SplitPredictions(np.arange(60).astype(str), labels, random.dirichlet(np.ones(3), 60), groups)
    scores = score_validation([one, one], None, functools.partial(Decision, 3), NAMES, seed=0, scores_decision=False)
    assert scores.metrics["val/num_groups"] == 20 and scores.predictions()["group"].tolist() == groups.tolist()


def test_a_class_of_one_spectrum_cannot_be_held_out() -> None:
    labels = np.array([0] * 5 + [1] * 5 + [2])
    candidates = [predicted(np.random.default_rng(k).dirichlet(np.ones(3), 11), labels) for k in range(2)]
    with pytest.raises(UserError, match="give --select all"):
        score_validation(candidates, weights, functools.partial(Decision, 3), NAMES, seed=0, scores_decision=False)

"""What is fitted on validation is scored there on objects that it has not seen."""

from typing import Self

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import StratifiedKFold

from spectral.ensembling.runs import SplitPredictions
from spectral.ensembling.scoring import score_validation
from spectral.errors import UserError
from spectral.scoring.cross_fitting import check_can_hold_out, decide_validation, folds_of_objects
from spectral.scoring.decision import Decision, macro_f1_rule
from spectral.scoring.metrics import Floats, Labels
from spectral.scoring.scores import FinalScores
from spectral.scoring.split_scores import Probabilities

NAMES = ("star", "qso")


def labelled(num: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and the objects of spectra, one to four of each, some of several classes."""
    random = np.random.default_rng(seed)
    return (random.random(num) < 0.3).astype(np.int64), random.integers(0, num // 2, num)


def test_all_spectra_of_an_object_are_held_out_together() -> None:
    labels, objects = labelled(400)

    folds = list(folds_of_objects(labels, 3, objects))

    assert len(folds) == 5
    assert np.array_equal(np.sort(np.concatenate([held for _, held in folds])), np.arange(400))
    for rest, held_out in folds:
        assert not set(objects[rest]) & set(objects[held_out])
        assert np.array_equal(np.sort(np.concatenate([rest, held_out])), np.arange(400))
        assert abs(labels[held_out].mean() - labels.mean()) < 0.08  # each class in proportion


def test_spectra_of_their_own_are_divided_as_scikit_learn_stratifies_them() -> None:
    labels, _ = labelled(60)
    alone = np.random.default_rng(1).permutation(60)
    expected = list(StratifiedKFold(5, shuffle=True, random_state=7).split(labels[:, None], labels))

    for folds in (list(folds_of_objects(labels, 7)), list(folds_of_objects(labels, 7, alone))):
        for (rest, held_out), (expected_rest, expected_held_out) in zip(folds, expected, strict=True):
            assert np.array_equal(rest, expected_rest)
            assert np.array_equal(held_out, expected_held_out)


def test_a_rare_class_of_two_objects_is_in_two_folds() -> None:
    labels = np.array([0] * 20 + [1] * 6)
    objects = np.array([*range(20), 20, 20, 20, 21, 21, 21])

    folds = list(folds_of_objects(labels, 0, objects))

    assert [labels[held_out].sum() for _, held_out in folds] == [3, 3]


def test_objects_of_which_no_two_have_a_class_to_stratify_by_are_divided_all_the_same() -> None:
    labels, objects = np.array([0, 1, 0, 2]), np.array([5, 5, 7, 7])

    folds = list(folds_of_objects(labels, 0, objects))

    assert sorted(held_out.tolist() for _, held_out in folds) == [[0, 1], [2, 3]]


def test_an_object_does_not_decide_on_itself() -> None:
    """A rule that remembers the label of an object would be right on each of its spectra."""

    class Remembering(Decision):
        def fit(self, probabilities: Floats, labels: Labels, weights: Floats | None = None) -> Self:
            self.known = dict(zip(probabilities[:, 0], labels, strict=True))
            return self

        def __call__(self, probabilities: Floats) -> Labels:
            return np.array([self.known.get(value, -1) for value in probabilities[:, 0]])

    _, objects = labelled(200)
    labels = (objects % 3 == 0).astype(np.int64)
    probability = np.column_stack([objects / 1000, 1 - objects / 1000])

    def make_rule() -> Decision:
        return Remembering(2, num_iterations=1)

    assert (decide_validation(make_rule, probability, labels, 0, objects=objects) == -1).all()
    assert (decide_validation(make_rule, probability, labels, 0) >= 0).any()


class Watching(Decision):
    """argmax that notes which objects it was fitted to, by the first probability, and sees none of them again."""

    objects: frozenset[float] = frozenset()

    def fit(self, probabilities: Floats, labels: Labels, weights: Floats | None = None) -> Self:
        self.objects = frozenset(probabilities[:, 0].tolist())
        return self

    def __call__(self, probabilities: Floats) -> Labels:
        assert not self.objects & set(probabilities[:, 0].tolist())
        return super().__call__(probabilities)


def test_runs_and_ensembles_hold_out_whole_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, objects = labelled(120)
    probability = np.column_stack([objects / 1000, 1 - objects / 1000])
    groups, ids = pd.Series(objects).map("object {}".format), np.arange(120)
    said = SplitPredictions(ids, labels, probability, groups)

    def make_rule() -> Decision:
        return Watching(2, num_iterations=1)

    run = FinalScores(make_rule, NAMES, seed=1)
    monkeypatch.setattr(run.rule, "fit", lambda *_: run.rule)  # the rule that is kept has seen all
    run.add_validation(torch.from_numpy(np.log(probability.clip(1e-9))), labels, ids, groups)
    chosen: list[set[float]] = []

    def select(probabilities: Probabilities, _labels: Labels) -> Floats:
        chosen.append(set(probabilities[0, :, 0].tolist()))
        return np.array([0.5, 0.5])

    score_validation([said, said], select, make_rule, NAMES, 1, False)
    assert [len(found) < len(set(objects.tolist())) for found in chosen] == [False] + [True] * 5


def test_a_class_that_a_fold_has_alone_is_decided_on_all_the_same() -> None:
    """Two objects of a class may be in one fold if one of them has spectra of a rarer class."""
    labels = np.array([0] * 8 + [1, 1, 2, 2])
    objects = np.array([*range(8), 8, 9, 9, 10])
    probability = np.random.default_rng(0).dirichlet(np.ones(3), len(labels))

    def make_rule() -> Decision:
        return macro_f1_rule(False, 20, 3, [1 / 3] * 3, [1 / 3] * 3)

    for seed in range(10):
        held_out = np.concatenate([places for _, places in folds_of_objects(labels, seed, objects)])
        assert sorted(held_out.tolist()) == list(range(len(labels)))
        assert set(decide_validation(make_rule, probability, labels, seed, objects=objects)) <= {0, 1, 2}


def test_a_class_of_one_object_cannot_be_held_out() -> None:
    labels, objects = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 2, 2, 2])

    check_can_hold_out(labels, NAMES)
    with pytest.raises(UserError, match=r"validation spectra of two objects of a class and all 3 of 'qso' are of one"):
        check_can_hold_out(labels, NAMES, objects)
    with pytest.raises(UserError, match="two validation spectra of a class and there is one of 'qso'"):
        check_can_hold_out(labels[:4], NAMES, objects[:4])

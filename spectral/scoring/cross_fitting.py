"""Scores on validation of what is fitted there: fold by fold, on spectra that it was not fitted to.

n spectra, K classes.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from spectral.errors import UserError
from spectral.scoring.decision import Decision
from spectral.scoring.metrics import Floats, Labels
from spectral.scoring.split_scores import Probabilities

NUM_FOLDS = 5


class TooFewToFitError(UserError):
    """There are too few validation spectra to fit a rule with some of each class held out.

    Args:
        class_name: that has too few; None if there are none at all.
    """

    def __init__(self, sentence: str, class_name: str | None = None) -> None:
        super().__init__(sentence)
        self.class_name = class_name


def check_can_hold_out(labels: Labels, class_names: Sequence[str], objects: Labels | None = None) -> None:
    """Check that a rule can be fitted to validation labels [n] with some of each class held out.

    Args:
        objects: [n], a number for each object; None: each spectrum is of its own.

    Raises:
        TooFewToFitError: there are no labels, or a class has one spectrum, or spectra of one object alone.
    """
    if not len(labels):
        raise TooFewToFitError(
            "decision=macro_f1 is fitted on validation spectra and there are none: give split.validation."
        )
    numbers = np.bincount(labels, minlength=len(class_names))
    of_objects = _objects_by_class(labels, _places(labels, objects), len(class_names))
    for name, num, num_objects in zip(class_names, numbers, of_objects, strict=True):
        if num == 1:
            raise TooFewToFitError(
                f"decision=macro_f1 needs two validation spectra of a class and there is one of '{name}': give "
                "split.validation a larger share, or with split=kfold fewer folds.",
                name,
            )
        if num_objects == 1:
            raise TooFewToFitError(
                f"decision=macro_f1 needs validation spectra of two objects of a class and all {num} of '{name}' are "
                "of one group: give split.validation a larger share, or with split=kfold fewer folds.",
                name,
            )


def decide_validation(
    make_rule: Callable[[], Decision],
    probability: Probabilities,
    labels: Labels,
    seed: int,
    weights: Floats | None = None,
    objects: Labels | None = None,
) -> Labels:
    """Classes [n] on validation. If the rule is fitted there, then fold by fold, so that no label decides on itself.

    Args:
        make_rule: gives an unfitted rule.
        probability: [n, K].
        labels: [n], as check_can_hold_out has passed them.
        weights: [n], that a rule is fitted under; None: all the same.
        objects: [n], as of `folds_of_objects`.
    """
    rule = make_rule()
    if not rule.num_iterations:
        return rule(probability)
    decided = np.empty(len(labels), dtype=np.int64)
    for rest, held_out in folds_of_objects(labels, seed, objects):
        of_rest = None if weights is None else weights[rest]
        decided[held_out] = make_rule().fit(probability[rest], labels[rest], of_rest)(probability[held_out])
    return decided


def folds_of_objects(labels: Labels, seed: int, objects: Labels | None = None) -> Iterator[tuple[Labels, Labels]]:
    """Five folds, or fewer of rare classes: of each the other places, and those that are held out.

    Objects are divided, stratified by the rarest class of each, so that all spectra of one are in the same fold.

    Args:
        labels: [n], of two objects or more.
        objects: [n], a number for each object; None: each spectrum is of its own.
    """
    # Only if something is fitted: this import takes a second.
    from sklearn.model_selection import StratifiedKFold

    place = _places(labels, objects)
    of_class = _objects_by_class(labels, place, int(labels.max()) + 1)
    rarity = of_class.argsort(kind="stable").argsort()
    strata = np.full(place.max() + 1, len(of_class))
    np.minimum.at(strata, place, rarity[labels])
    if np.bincount(strata).max() < 2:
        strata[:] = 0  # no class to stratify by
    num_folds = int(np.clip(np.unique(strata, return_counts=True)[1].min(), 2, NUM_FOLDS))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # its objects may count for a rarer one
        folds = list(StratifiedKFold(num_folds, shuffle=True, random_state=seed).split(strata[:, None], strata))
    for _, of_fold in folds:
        is_held_out = np.isin(place, of_fold)
        yield np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)


def _places(labels: Labels, objects: Labels | None) -> Labels:
    """Objects numbered from 0 in the order of their first spectra [n]."""
    return np.arange(len(labels)) if objects is None else pd.factorize(objects)[0].astype(np.int64)


def _objects_by_class(labels: Labels, place: Labels, num_classes: int) -> Labels:
    """How many objects have spectra of each class [K]."""
    pairs = np.unique(place * num_classes + labels)
    return np.bincount(pairs % num_classes, minlength=num_classes)

"""Random forest on the pixels. n spectra, K classes.

L. Breiman, "Random forests", Machine Learning 45 (2001) 5.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from spectral.baselines.contract import Features, Labels, Probabilities, Setting
from spectral.baselines.tabular import Tabular

MOST_ASKED = 5000  # training spectra that say at which class shares the probabilities stand


class RandomForest(Tabular):
    """See `RandomForestConfig` for the options."""

    def __init__(self, class_weight: str, num_trees: int, min_leaf: int, setting: Setting) -> None:
        super().__init__(class_weight, setting)
        self.num_trees, self.min_leaf = num_trees, min_leaf

    def make(self, table: Features, labels: Labels) -> Any:
        return RandomForestClassifier(
            self.num_trees,
            min_samples_leaf=self.min_leaf,
            class_weight=self.class_weight,
            n_jobs=self.setting.num_threads,
            random_state=self.setting.seed,
        )

    def look_at(self, table: Features) -> None:
        if self.class_weight is not None:
            self.unseen = by_unseen_trees(self.estimator, table, self.setting.seed)

    def output_prior(self, class_priors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Balanced weights count within a leaf, and a leaf of one class says the same with any weight.

        So the probabilities stand between equal class shares and those of the training split: the nearer to these, the
        smaller the leaves. How near, the training spectra say, each by the trees that have not seen it.
        """
        prior = super().output_prior(class_priors)
        if self.class_weight is None:
            return prior
        there = self.estimator.classes_
        if len(self.unseen):
            prior[there] = shares_between(self.unseen, class_priors[there] / class_priors[there].sum())
        return prior


def by_unseen_trees(forest: RandomForestClassifier, table: Features, seed: int) -> Probabilities:
    """Probabilities of training spectra by the trees that have not seen them, out of bag; [m, K], not normalized.

    `oob_score` of scikit-learn does so for all spectra, on one core: of a large table it takes longer than the fit.
    """
    asked = np.random.default_rng(seed).permutation(len(table))[:MOST_ASKED]
    rows, said = table[asked], np.zeros((len(asked), len(forest.classes_)))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        is_unseen = np.ones(len(table), dtype=bool)
        is_unseen[drawn] = False
        is_unseen = is_unseen[asked]
        if is_unseen.any():
            said[is_unseen] += tree.predict_proba(rows[is_unseen])
    return np.asarray(said[said.sum(axis=1) > 0])  # by one tree or more


def shares_between(said: Probabilities, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class shares [K] at which probabilities [n, K] stand, between equal ones and those of the spectra [K].

    They are a power of these, from 0 to 1: that by which the probabilities, brought back to the shares of the spectra,
    have a mean closest to them.
    """

    def distance(power: float) -> float:
        brought = said * shares ** (1 - power)
        mean = (brought / brought.sum(axis=1, keepdims=True)).mean(axis=0)
        return float(((mean - shares) ** 2 / shares).sum())

    found = shares ** min(np.linspace(0, 1, 101), key=distance)
    return np.asarray(found / found.sum())

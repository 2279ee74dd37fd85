"""Random forest on the pixels. n spectra, K classes.

L. Breiman, "Random forests", Machine Learning 45 (2001) 5.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from spectral.baselines.channels import Channels
from spectral.baselines.contract import Features, Labels, Probabilities, Setting
from spectral.baselines.tabular import Tabular


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
            oob_score=self.class_weight is not None,  # for output_prior; it leaves the trees as they are
            n_jobs=self.setting.num_threads,
            random_state=self.setting.seed,
        )

    def fit(self, channels: Channels, labels: Labels) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Some inputs do not have OOB scores")  # those are left out
            super().fit(channels, labels)

    def output_prior(self, class_priors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Balanced weights count within a leaf, and a leaf of one class says the same with any weight.

        So the probabilities stand between equal class shares and those of the training split: the nearer to these, the
        smaller the leaves. How near, the training spectra say, each by the trees that have not seen it.
        """
        prior = super().output_prior(class_priors)
        if self.class_weight is None:
            return prior
        said, there = self.estimator.oob_decision_function_, self.estimator.classes_
        said = said[said.sum(axis=1) > 0]  # by one tree or more
        if len(said):
            prior[there] = shares_between(said, class_priors[there] / class_priors[there].sum())
        return prior


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

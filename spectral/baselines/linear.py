"""Logistic regression on many features, which are standardized in place. n spectra, F features."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from spectral.baselines.contract import Features, Labels, Probabilities

ROWS = 1024  # at a time


class Linear:
    """Multinomial logistic regression with an L2 penalty, on standardized features; no copy of them is made.

    Args:
        penalty: of half the sum of squared weights, next to the mean log loss; scikit-learn's C is 1 / (penalty * n).
        class_weight: None or "balanced".
    """

    def __init__(self, penalty: float, max_iter: int, class_weight: str | None) -> None:
        self.penalty, self.max_iter, self.class_weight = penalty, max_iter, class_weight

    @property
    def classes(self) -> Any:
        """The classes that have a column."""
        return self._estimator.classes_

    def fit(self, features: Features, labels: Labels) -> None:
        """Train on features [n, F], which are changed, and labels [n]."""
        self._mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        squares = np.zeros(features.shape[1])  # np.std would hold all of them in 8 bytes
        for start in range(0, len(features), ROWS):
            squares += np.square(features[start : start + ROWS] - self._mean, dtype=np.float64).sum(axis=0)
        self._deviation = np.sqrt(squares / len(features)).astype(np.float32)
        self._deviation[self._deviation == 0] = 1
        self._standardize(features)
        self._estimator = LogisticRegression(
            C=1 / (self.penalty * len(labels)), class_weight=self.class_weight, max_iter=self.max_iter
        )
        with warnings.catch_warnings():
            # The penalty decides the outcome long before the gradient is as small as scikit-learn wishes.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._estimator.fit(features, labels)

    def probabilities(self, features: Features) -> Probabilities:
        """Probabilities [n, columns] of features [n, F], which are changed."""
        self._standardize(features)
        probability: Probabilities = self._estimator.predict_proba(features)
        return probability

    def _standardize(self, features: Features) -> None:
        for start in range(0, len(features), ROWS):
            features[start : start + ROWS] -= self._mean
            features[start : start + ROWS] /= self._deviation

"""PLS-DA: partial least squares to few scores, and linear discriminant analysis of these. n spectra, F pixels.

M. Barker and W. Rayens, "Partial least squares for discrimination", J. Chemometrics 17 (2003) 166.
"""

import logging
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler

from spectral.baselines.contract import Labels, Setting
from spectral.baselines.tabular import Tabular
from spectral.errors import UserError
from spectral.scoring.cross_fitting import folds_of_objects

log = logging.getLogger(__name__)

Table = NDArray[Any]


class PLSDA(Tabular):
    """See `PLSDAConfig` for the options."""

    def __init__(
        self, class_weight: str, num_components: int | None, max_components: int, autoscale: bool, setting: Setting
    ) -> None:
        super().__init__(class_weight, setting)
        self.num_components, self.max_components, self.autoscale = num_components, max_components, autoscale

    def make(self, table: Table, labels: Labels) -> "PLSThenLDA":
        classes = np.unique(labels)
        if len(labels) <= len(classes):
            raise UserError(
                f"method=pls_da needs more training spectra than classes: there are {len(labels)} spectra of "
                f"{len(classes)} classes."
            )
        if (table == table[:1]).all():
            raise UserError("method=pls_da finds no difference: the training spectra are all the same.")
        balanced = self.class_weight == "balanced"
        if self.num_components is not None:
            return PLSThenLDA(self.num_components, self.autoscale, balanced)
        most = PLSThenLDA(self.max_components, self.autoscale, balanced)
        num = best_num_components(most, table, labels, self.setting.seed, self.setting.objects)
        log.info("Cross-validation within the training part chose %d components.", num)
        return PLSThenLDA(num, self.autoscale, balanced)


class PLSThenLDA(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Scores of the directions in which the classes' means differ, classified by their common covariance.

    The columns of the class table are divided by the root of the class sizes, so that the directions are those of the
    scatter between classes (Barker & Rayens, section 3), or, balanced, by the sizes: then every mean weighs the same.
    """

    def __init__(self, num_components: int, autoscale: bool, balanced: bool) -> None:
        self.num_components, self.autoscale, self.balanced = num_components, autoscale, balanced

    def fit(self, table: Table, labels: Labels) -> "PLSThenLDA":
        """Train on a table [n, F] and labels [n]; of few spectra there are fewer components than were asked for."""
        self.classes_ = np.unique(labels)
        self._scaler = StandardScaler(with_std=self.autoscale).fit(table)
        scaled = self._scaler.transform(table)
        counts = np.array([(labels == k).sum() for k in self.classes_])
        is_class = (labels[:, None] == self.classes_) / (counts if self.balanced else np.sqrt(counts))
        # Beyond the rank of the table, and beyond what the classes have left, there is only rounding.
        self.num_components_ = min(self.num_components, len(labels) - len(self.classes_), _rank(scaled))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="y residual is constant")
            self._pls = PLSRegression(max(1, self.num_components_), scale=False).fit(scaled, is_class)
        self._lda = self.lda(self._pls.transform(scaled), labels)
        return self

    def lda(self, scores: Table, labels: Labels) -> LinearDiscriminantAnalysis:
        """The discriminant analysis of scores [n, components] and labels [n]."""
        counts = np.unique(labels, return_counts=True)[1]
        priors = np.full(len(counts), 1 / len(counts)) if self.balanced else counts / counts.sum()
        return LinearDiscriminantAnalysis(priors=priors).fit(scores, labels)

    def scores(self, table: Table) -> Table:
        """Scores [n, components] of a table [n, F]. The first ones do not depend on how many there are."""
        scores: Table = self._pls.transform(self._scaler.transform(table))
        return scores

    def predict_proba(self, table: Table) -> NDArray[np.float64]:
        """Probabilities [n, K] of a table [n, F]."""
        probability: NDArray[np.float64] = self._lda.predict_proba(self.scores(table))
        return probability


def best_num_components(
    most: PLSThenLDA, table: Table, labels: Labels, seed: int, objects: Labels | None = None
) -> int:
    """The number of components of the highest macro-F1 in a cross-validation, the least of several.

    Args:
        most: unfitted, with the largest number that is tried.
        objects: [n], a number for each object, whose spectra are in one fold; None: each spectrum is of its own.
    """
    if objects is not None and len(np.unique(objects)) < 2:
        return 1  # nothing to hold out
    decided: dict[int, Labels] = {}
    folds = list(folds_of_objects(labels, seed, objects))
    smallest = min(len(rest) for rest, _ in folds)
    if smallest <= len(np.unique(labels)) or any(len(np.unique(labels[rest])) < 2 for rest, _ in folds):
        return 1  # too few to train on a part of them
    for rest, held_out in folds:
        most.fit(table[rest], labels[rest])
        train, test = most.scores(table[rest]), most.scores(table[held_out])
        for num in range(1, train.shape[1] + 1):
            found = decided.setdefault(num, np.full(len(labels), -1))
            found[held_out] = most.lda(train[:, :num], labels[rest]).predict(test[:, :num])
    complete = {num: found for num, found in decided.items() if (found >= 0).all()}  # a fold may have had fewer
    each = {num: f1_score(labels, found, average="macro", zero_division=0) for num, found in complete.items()}
    return max(each, key=lambda num: (each[num], -num))


def _rank(table: Table) -> int:
    """The number of directions that a centred table has; of a large one the most that it can have."""
    return int(np.linalg.matrix_rank(table)) if min(table.shape) < 200 else min(table.shape)

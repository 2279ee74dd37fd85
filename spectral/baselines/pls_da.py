"""PLS-DA: partial least squares to few scores, and linear discriminant analysis of these.

M. Barker and W. Rayens, "Partial least squares for discrimination", J. Chemometrics 17 (2003) 166.
"""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from spectral.baselines.contract import Labels, Setting
from spectral.baselines.tabular import Tabular
from spectral.errors import UserError

log = logging.getLogger(__name__)


class PLSDA(Tabular):
    """See `PLSDAConfig` for the options."""

    def __init__(self, class_weight: str, num_components: int, autoscale: bool, setting: Setting) -> None:
        super().__init__(class_weight, setting)
        self.num_components, self.autoscale = num_components, autoscale

    def make(self, shape: tuple[int, int], labels: Labels) -> "PLSThenLDA":
        num_spectra, num_pixels = shape
        if num_spectra <= len(np.unique(labels)):
            raise UserError(
                f"method=pls_da needs more training spectra than classes: there are {num_spectra} spectra of "
                f"{len(np.unique(labels))} classes."
            )
        num = min(self.num_components, num_spectra - 1, num_pixels)
        if num < self.num_components:
            log.warning("method.num_components=%d is more than these spectra have: %d.", self.num_components, num)
        return PLSThenLDA(num, self.autoscale, self.class_weight == "balanced")


class PLSThenLDA(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Scores of the directions in which the classes' means differ, classified by their common covariance.

    The columns of the class table are divided by the root of the class sizes, so that the directions are those of the
    scatter between classes (Barker & Rayens, section 3), or, balanced, by the sizes: then every mean weighs the same.
    """

    def __init__(self, num_components: int, autoscale: bool, balanced: bool) -> None:
        self.num_components, self.autoscale, self.balanced = num_components, autoscale, balanced

    def fit(self, table: NDArray[Any], labels: Labels) -> "PLSThenLDA":
        self.classes_, counts = np.unique(labels, return_counts=True)
        self._scaler = StandardScaler(with_std=self.autoscale).fit(table)
        scaled = self._scaler.transform(table)
        is_class = (labels[:, None] == self.classes_) / (counts if self.balanced else np.sqrt(counts))
        # More components than the scaled spectra have directions would be noise of rounding.
        num = min(self.num_components, _rank(scaled, self.num_components))
        self._pls = PLSRegression(num, scale=False).fit(scaled, is_class)
        priors = np.full(len(counts), 1 / len(counts)) if self.balanced else counts / counts.sum()
        self._lda = LinearDiscriminantAnalysis(priors=priors).fit(self._pls.transform(scaled), labels)
        return self

    def predict_proba(self, table: NDArray[Any]) -> NDArray[np.float64]:
        scores = self._pls.transform(self._scaler.transform(table))
        probability: NDArray[np.float64] = self._lda.predict_proba(scores)
        return probability


def _rank(table: NDArray[Any], enough: int) -> int:
    """The number of directions that a centred table has; `enough` if it plainly has more."""
    if min(table.shape) > 4 * enough:
        return enough
    return max(1, int(np.linalg.matrix_rank(table)))

"""Principal components, then gradient boosting of trees on histograms.

G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017; scikit-learn's
implementation follows it.
"""

import logging
from typing import Any

from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from spectral.baselines.contract import Features, Labels, Setting
from spectral.baselines.tabular import Tabular

log = logging.getLogger(__name__)


class Boosting(Tabular):
    """See `BoostingConfig` for the options."""

    def __init__(
        self,
        class_weight: str,
        num_components: int,
        max_iter: int,
        learning_rate: float,
        min_leaf: int,
        setting: Setting,
    ) -> None:
        super().__init__(class_weight, setting)
        self.num_components, self.max_iter, self.learning_rate = num_components, max_iter, learning_rate
        self.min_leaf = min_leaf

    def make(self, table: Features, labels: Labels) -> Any:
        num = min(self.num_components, *table.shape)
        if num < self.num_components:
            log.warning("method.num_components=%d is more than these spectra have: %d.", self.num_components, num)
        if len(labels) < 2 * self.min_leaf:
            log.warning(
                "%d training spectra are too few for two leaves of method.min_leaf=%d: no tree divides them, and every "
                "spectrum gets the same probabilities. method.min_leaf=%d allows smaller leaves.",
                *(len(labels), self.min_leaf, max(1, len(labels) // 10)),
            )
        trees = HistGradientBoostingClassifier(
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            min_samples_leaf=self.min_leaf,
            class_weight=self.class_weight,
            early_stopping=False,  # it would hold out spectra of its own
            random_state=self.setting.seed,
        )
        return make_pipeline(PCA(num, random_state=self.setting.seed), trees)

"""Random forest on the pixels.

L. Breiman, "Random forests", Machine Learning 45 (2001) 5.
"""

from typing import Any

from sklearn.ensemble import RandomForestClassifier

from spectral.baselines.contract import Features, Labels, Setting
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
            n_jobs=self.setting.num_threads,
            random_state=self.setting.seed,
        )

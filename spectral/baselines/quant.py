"""QUANT: quantiles of intervals by aeon, then extremely randomized trees. n spectra, C channels, L pixels.

A. Dempster, D. F. Schmidt and G. I. Webb, "QUANT: a minimalist interval method for time series classification", Data
Mining and Knowledge Discovery 38 (2024) 2377 (arXiv 2308.00928).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from spectral.baselines import aeon_parts
from spectral.baselines.aeon_parts import transformed, transformer
from spectral.baselines.channels import Channels, features_of
from spectral.baselines.contract import Features, Labels, Method, Probabilities, Setting
from spectral.errors import UserError

LEAST_PIXELS = 9  # the second differences of shorter spectra have no intervals


class Quant(Method):
    """See `QuantConfig` for the options."""

    def __init__(
        self,
        class_weight: str,
        depth: int,
        divisor: int,
        num_trees: int,
        max_features: float | None,
        setting: Setting,
    ) -> None:
        super().__init__(class_weight, setting)
        options = {"interval_depth": depth, "quantile_divisor": divisor}
        self._transformer = transformer("interval_based", "QUANTTransformer", **options)
        self._trees = ExtraTreesClassifier(
            num_trees,
            criterion="entropy",
            max_features=max_features or "sqrt",
            class_weight=self.class_weight,
            n_jobs=setting.num_threads,
            random_state=setting.seed,
        )

    @classmethod
    def check_installed(cls, name: str) -> None:
        aeon_parts.check_installed(name)

    def fit(self, channels: Channels, labels: Labels) -> None:
        if channels.shape[2] < LEAST_PIXELS:
            raise UserError(
                f"method=quant needs {LEAST_PIXELS} pixels or more: these spectra have {channels.shape[2]}."
            )
        aeon_parts.fit(self._transformer, next(channels.spans()))  # it looks at the number of pixels alone
        self._trees.fit(features_of(channels, self._features), labels)

    def predict(self, channels: Channels) -> Iterator[tuple[Any, Probabilities]]:
        for span in channels.spans():
            yield self._trees.classes_, self._trees.predict_proba(self._features(span))

    def output_prior(self, class_priors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those of the training split: trees grow until a leaf has one class, and then no weight changes what it says.

        Balanced weights decide where a tree splits, and the trees' votes count the spectra as they are.
        """
        return self.training_shares(class_priors)

    def _features(self, span: NDArray[np.float32]) -> Features:
        return transformed(self._transformer, span)

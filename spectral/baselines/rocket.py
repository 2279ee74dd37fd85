"""Features of many convolutions by aeon, then logistic regression. n spectra, C channels, L pixels, F features.

MiniRocket: A. Dempster et al., KDD 2021 (arXiv 2012.08791). MultiRocket: C. W. Tan et al., Data Mining and Knowledge
Discovery 36 (2022) 1623. Hydra: A. Dempster et al., Data Mining and Knowledge Discovery 37 (2023) 1779, which also
joins the two.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.baselines import aeon_parts
from spectral.baselines.aeon_parts import transformed, transformer
from spectral.baselines.channels import Channels, features_of
from spectral.baselines.contract import Features, Labels, Method, Probabilities, Setting
from spectral.baselines.linear import Linear
from spectral.errors import UserError

LEAST_PIXELS = 9  # a kernel is as long
CONVOLUTION = "convolution_based"


class Rocket(Method):
    """A method that makes features with transformers of aeon, and ends in logistic regression."""

    def __init__(self, class_weight: str, penalty: float, max_iter: int, setting: Setting) -> None:
        super().__init__(class_weight, setting)
        self._linear = Linear(penalty, max_iter, self.class_weight)
        self._drawn = {"n_jobs": setting.num_threads, "random_state": setting.seed}  # options of the transformers

    @classmethod
    def check_installed(cls, name: str) -> None:
        aeon_parts.check_installed(name)

    def fit_transformers(self, channels: NDArray[np.float32]) -> None:
        """Choose kernels and thresholds for channels [n, C, L]."""
        raise NotImplementedError

    def transform(self, channels: NDArray[np.float32]) -> Features:
        """Features [b, F] of channels [b, C, L]."""
        raise NotImplementedError

    def fit(self, channels: Channels, labels: Labels) -> None:
        if channels.shape[2] < LEAST_PIXELS:
            raise UserError(f"the method needs {LEAST_PIXELS} pixels or more: these spectra have {channels.shape[2]}.")
        self.fit_transformers(channels.array())
        self._linear.fit(features_of(channels, self.transform), labels)

    def predict(self, channels: Channels) -> Iterator[tuple[Any, Probabilities]]:
        for span in channels.spans():
            yield self._linear.classes, self._linear.probabilities(self.transform(span))


class MiniRocket(Rocket):
    """See `MiniRocketConfig` for the options."""

    def __init__(self, class_weight: str, num_kernels: int, penalty: float, max_iter: int, setting: Setting) -> None:
        super().__init__(class_weight, penalty, max_iter, setting)
        self._transformer = transformer(CONVOLUTION, "MiniRocket", n_kernels=num_kernels, **self._drawn)

    def fit_transformers(self, channels: NDArray[np.float32]) -> None:
        aeon_parts.fit(self._transformer, channels)

    def transform(self, channels: NDArray[np.float32]) -> Features:
        return transformed(self._transformer, channels)


class MultiRocketHydra(Rocket):
    """See `MultiRocketHydraConfig` for the options."""

    def __init__(
        self,
        class_weight: str,
        num_kernels: int,
        num_groups: int,
        group_size: int,
        penalty: float,
        max_iter: int,
        setting: Setting,
    ) -> None:
        super().__init__(class_weight, penalty, max_iter, setting)
        self._transformers = [
            transformer(CONVOLUTION, "HydraTransformer", n_kernels=group_size, n_groups=num_groups, **self._drawn),
            transformer(CONVOLUTION, "MultiRocket", n_kernels=num_kernels, **self._drawn),
        ]

    def fit_transformers(self, channels: NDArray[np.float32]) -> None:
        for part in self._transformers:
            aeon_parts.fit(part, channels)

    def transform(self, channels: NDArray[np.float32]) -> Features:
        hydra, multirocket = (transformed(part, channels) for part in self._transformers)
        # Counts: their root is closer to a normal distribution, as Hydra's authors scale them.
        return np.concatenate([np.sqrt(np.maximum(hydra, 0)), multirocket], axis=1)

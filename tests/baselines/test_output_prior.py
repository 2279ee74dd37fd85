"""At which class shares a method's probabilities stand: brought back from there, their mean is that of the labels."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spectral.baselines import quant
from spectral.baselines.contract import Method, Setting
from spectral.baselines.forest import RandomForest
from spectral.baselines.pls_da import PLSDA
from spectral.baselines.quant import Quant

RARE, NUM, NUM_NEW = 0.1, 1500, 3000
# Means over NUM and NUM_NEW spectra, of which a share of RARE is drawn: four standard deviations.
TOLERANCE = 4 * np.sqrt(RARE * (1 - RARE) * (1 / NUM + 1 / NUM_NEW))


class Spectra:
    """Channels of spectra in memory, of two classes that overlap, one of them rare."""

    def __init__(self, rng: np.random.Generator, num: int) -> None:
        self.labels = (rng.random(num) < RARE).astype(np.int64)
        lines = np.repeat([0.5, 0.0], [4, 6])
        self.flux = (rng.normal(size=(num, 10)) + lines * self.labels[:, None]).astype(np.float32)[:, None]
        self.shape = self.flux.shape

    def __len__(self) -> int:
        return len(self.labels)

    def spans(self) -> Iterator[NDArray[np.float32]]:
        yield self.flux

    def matrix(self) -> NDArray[np.float32]:
        return self.flux[:, 0]


def mean_corrected(method: Method) -> float:
    """The mean probability of the rare class of new spectra, at the shares of the training spectra."""
    rng = np.random.default_rng(0)
    old: Any = Spectra(rng, NUM)
    new: Any = Spectra(rng, NUM_NEW)
    method.fit(old, old.labels)
    shares = np.bincount(old.labels) / NUM
    brought = method.probabilities(new) * shares / method.output_prior(shares)
    return float((brought[:, 1] / brought.sum(axis=1)).mean())


SETTING = Setting(num_classes=2, seed=0, num_threads=1)


@pytest.mark.parametrize("class_weight", ["balanced", "none"])
@pytest.mark.parametrize("min_leaf", [1, 5, 40])
def test_of_a_forest_with_leaves_of_any_size(min_leaf: int, class_weight: str) -> None:
    forest = RandomForest(class_weight, num_trees=60, min_leaf=min_leaf, setting=SETTING)
    assert mean_corrected(forest) == pytest.approx(RARE, abs=TOLERANCE)


@pytest.mark.parametrize("class_weight", ["balanced", "none"])
def test_of_discriminant_analysis(class_weight: str) -> None:
    method = PLSDA(class_weight, num_components=3, max_components=3, autoscale=False, setting=SETTING)
    assert mean_corrected(method) == pytest.approx(RARE, abs=TOLERANCE)


@pytest.mark.parametrize("class_weight", ["balanced", "none"])
def test_of_quant_on_features_as_they_are(class_weight: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without aeon."""
    monkeypatch.setattr(quant, "transformer", lambda *_, **__: None)
    monkeypatch.setattr(quant, "transformed", lambda _, span: span[:, 0])
    monkeypatch.setattr(quant, "aeon_parts", SimpleNamespace(fit=lambda *_: None))
    trees = Quant(class_weight, depth=6, divisor=4, num_trees=60, max_features=None, setting=SETTING)
    assert mean_corrected(trees) == pytest.approx(RARE, abs=TOLERANCE)


def test_a_class_that_no_tree_knows_has_a_share_all_the_same() -> None:
    forest = RandomForest("balanced", num_trees=1, min_leaf=1, setting=Setting(3, 0, 1))
    spectra: Any = Spectra(np.random.default_rng(0), 40)
    labels = np.repeat([0, 2], [34, 6])
    forest.fit(spectra, labels)
    prior = forest.output_prior(np.bincount(labels) / 40)
    assert (prior > 0).all() and prior[0] + prior[2] == pytest.approx(1)

"""Training as a classifier of scikit-learn."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from small_runs import composed

from spectral import open_survey
from spectral.configs.models import models
from spectral.estimator import PRESETS, SpectralClassifier

SMALL = {"name": "fcn", "widths": [8, 8, 8]}
ON_CPU: dict[str, Any] = {"device": "cpu", "precision": "float32", "num_threads": 1, "random_state": 0}
FAILING: dict[str, str] = {}  # check of scikit-learn that must fail -> why


@pytest.fixture(scope="module")
def spectra(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Some of the embedded survey, every sixth pixel, with their labels."""
    cache = tmp_path_factory.mktemp("cache")
    survey = open_survey("simulated", num_spectra=160, num_workers=1, cache_dir=cache)
    return np.array(survey.flux[:, 0, ::6]), survey.catalog["label"].to_numpy(dtype=str)


def test_it_learns_the_embedded_survey(spectra: tuple[Any, Any]) -> None:
    X, y = spectra
    fitted = SpectralClassifier(SMALL, epochs=8, batch_size=32, learning_rate=0.01, **ON_CPU).fit(X, y)
    probabilities, common = fitted.predict_proba(X), np.mean(y == "star")
    assert fitted.classes_.tolist() == sorted(set(y)) == fitted.run_.class_names
    assert probabilities.shape == (160, len(fitted.classes_)) and np.allclose(probabilities.sum(axis=1), 1)
    assert fitted.predict(X).tolist() == fitted.classes_[probabilities.argmax(axis=1)].tolist()
    assert fitted.score(X, y) > common
    assert fitted.result_["val/num_spectra"] > 0
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), probabilities)
    np.testing.assert_array_equal(clone(fitted).fit(X, y).predict_proba(X), probabilities)


def test_channels_labels_that_are_numbers_and_further_config_are_taken() -> None:
    X = np.random.default_rng(0).normal(size=(12, 2, 30))
    y = np.array([3.0, -1.0, 0.0] * 4)
    config = {"optimizer": {"name": "sgd", "lr": 0.01}, "inputs": {"channels": ["flux", "mask"]}}
    fitted = SpectralClassifier(SMALL, epochs=1, validation_fraction=0, config=config, **ON_CPU).fit(X, y)
    assert fitted.classes_.tolist() == [-1.0, 0.0, 3.0] and set(fitted.predict(X)) <= {-1.0, 0.0, 3.0}
    assert fitted.run_.predictor.inputs.num_channels == 3
    with pytest.raises(ValueError, match="expecting 2 features"):
        fitted.predict(X[:, :1])


@pytest.mark.parametrize(
    "given",
    [
        {"sampler": "schedule"},
        pytest.param({"sampler": {"name": "schedule", "start": "natural"}}, marks=pytest.mark.slow),
        pytest.param({"config": {"sampler": {"name": "schedule"}}}, marks=pytest.mark.slow),
    ],
)
def test_losses_of_other_mixtures_do_not_choose_the_epoch(given: dict[str, Any]) -> None:
    X, y = np.random.default_rng(0).normal(size=(40, 30)), np.array(["star"] * 36 + ["qso"] * 4)
    fitted = SpectralClassifier(SMALL, epochs=3, validation_fraction=0, learning_rate=1e-6, **given, **ON_CPU)
    assert fitted.fit(X, y).result_["best_epoch"] == 3


@pytest.mark.parametrize(
    "given",
    [
        {"sampler": {"name": "schedule", "start": "balanced", "end": "balanced"}},
        {"sampler": "schedule", "config": {"sampler": "natural"}},
    ],
)
def test_losses_of_the_same_mixture_choose_the_epoch(given: dict[str, Any]) -> None:
    X, y = np.random.default_rng(0).normal(size=(40, 30)), np.array(["star"] * 36 + ["qso"] * 4)
    fitted = SpectralClassifier(SMALL, epochs=3, validation_fraction=0, learning_rate=1e3, **given, **ON_CPU).fit(X, y)
    assert fitted.result_["best_epoch"] < 3


def test_a_masked_array_is_refused() -> None:
    X = np.ma.masked_greater(np.random.default_rng(0).normal(size=(12, 30)), 1.0)
    y = np.tile(["star", "qso"], 6)
    fitted = SpectralClassifier(SMALL, epochs=1, validation_fraction=0, **ON_CPU).fit(X.data, y)
    for call in (lambda: fitted.predict(X), lambda: clone(fitted).fit(X, y)):
        with pytest.raises(ValueError, match="X is a masked array that hides some pixels"):
            call()


@pytest.mark.slow
def test_it_stands_in_a_pipeline_that_is_searched() -> None:
    X, y = np.random.default_rng(0).normal(size=(24, 30)), np.tile(["star", "qso"], 12)
    pipeline = make_pipeline(StandardScaler(), SpectralClassifier(SMALL, epochs=1, validation_fraction=0, **ON_CPU))
    rates = {"spectralclassifier__learning_rate": [1e-3, 1e-1]}
    search = GridSearchCV(pipeline, rates, cv=2, error_score="raise").fit(X, y)
    assert set(search.predict(X)) <= {"star", "qso"} and len(search.cv_results_["mean_test_score"]) == 2
    alone = clone(pipeline).set_params(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"model": "fcnn"}, "model=fcnn is not known: did you mean 'fcn'"),
        (
            {"model": "compct"},
            "model=compct is not known: did you mean 'compact'. allowed: compact, fcn, inception_time",
        ),
        ({"epochs": 0}, "epochs"),
        ({"config": {"modle": "fcn"}}, "modle is not a known key: did you mean 'model'"),
        ({"config": {"run_dir": "mine"}}, "^config: run_dir=mine cannot be given: a classifier keeps no"),
        ({"loss": {"name": "focal", "gama": 2}}, "did you mean 'gamma'"),
        ({"sampler": "scedule", "validation_fraction": 0}, "sampler=scedule is not known: did you mean 'schedule'"),
    ],
)
def test_a_wrong_argument_is_a_value_error(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SpectralClassifier(**(ON_CPU | arguments)).fit(np.ones((4, 9)), [0, 1, 0, 1])


@pytest.mark.parametrize(("fraction", "found"), [(0.25, "there is one of the class 'qso'"), (0, "there are none")])
def test_a_rule_that_cannot_be_fitted_is_a_value_error_in_the_words_of_the_class(fraction: float, found: str) -> None:
    classifier = SpectralClassifier(SMALL, decision="macro_f1", validation_fraction=fraction, **ON_CPU)
    sentence = f"held out, two or more of each class, and {found}: give a larger validation_fraction, more spectra"
    with pytest.raises(ValueError, match=sentence):
        classifier.fit(np.ones((10, 9)), ["star"] * 8 + ["qso"] * 2)


def test_the_compact_preset_is_that_of_the_configs(tmp_path: Path) -> None:
    config = composed([f"run_dir={tmp_path}", "model=compact"])
    assert models.typed(PRESETS["compact"]) == models.typed(config.model)


@pytest.mark.slow
def test_it_passes_the_checks_of_scikit_learn() -> None:
    """With options that suit its data, points of a few numbers."""
    network = {"name": "fcn", "widths": [16, 16], "kernel_sizes": [2, 2]}
    estimator = SpectralClassifier(network, scaling="none", epochs=30, batch_size=32, learning_rate=0.01, **ON_CPU)
    found = check_estimator(estimator, expected_failed_checks=FAILING, on_fail=None, on_skip=None)
    assert not [check["check_name"] for check in found if check["status"] == "failed"]

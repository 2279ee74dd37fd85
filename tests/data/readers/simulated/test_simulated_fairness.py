"""Signal-to-noise and flux scale must not reveal the class."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score

from spectral.configs.data import readers


@pytest.fixture(scope="module")
def reader():
    return readers.build(readers.typed({"name": "simulated", "num_spectra": 12000}))


@pytest.fixture(scope="module")
def catalog(reader):
    return reader.catalog()


def guesses(values, labels):
    """True labels of the second half, and those that boosted trees guess from one number."""
    half = len(labels) // 2
    forest = HistGradientBoostingClassifier(max_iter=30, class_weight="balanced")
    forest.fit(values[:half, None], labels[:half])
    return labels[half:], forest.predict(values[half:, None])


# Three classes: a guess at random has balanced accuracy 1/3 exactly, and expected macro-F1 of 1/3 or less. Half of
# 12,000 rows hold about 480 quasars: the standard error of the balanced accuracy is about .010; of the flux's 3,000
# rows, .02. The bounds allow three of them.
def test_signal_to_noise_does_not_separate_stars_galaxies_and_quasars(catalog):
    identified = catalog.query("label != 'unknown'")
    truth, guess = guesses(np.log(identified["snr"].to_numpy()), identified["label"].to_numpy())
    assert balanced_accuracy_score(truth, guess) < 1 / 3 + 0.03
    assert f1_score(truth, guess, average="macro") < 1 / 3 + 0.03


@pytest.mark.slow  # to simulate the spectra takes seconds
def test_flux_scale_does_not_separate_stars_galaxies_and_quasars(reader, catalog):
    level = np.log([np.median(np.abs(values)) for values in reader.read(np.arange(3000)).flux])
    identified = (catalog["label"][:3000] != "unknown").to_numpy()
    truth, guess = guesses(level[identified], catalog["label"].to_numpy()[:3000][identified])
    assert balanced_accuracy_score(truth, guess) < 1 / 3 + 0.06
    assert f1_score(truth, guess, average="macro") < 1 / 3 + 0.06


def test_signal_to_noise_does_not_reveal_broken_exposures(catalog):
    rows = catalog.query("subclass != 'faint'")
    truth, guess = guesses(np.log(rows["snr"].to_numpy()), (rows["label"] == "unknown").to_numpy())
    assert balanced_accuracy_score(truth, guess) < 0.5 + 0.06


def test_signal_to_noise_reveals_faint_ones_in_part(catalog):
    """Half of the unknown are faint by nature; even so S/N alone stays near the .25 of a guess among four."""
    truth, guess = guesses(np.log(catalog["snr"].to_numpy()), catalog["label"].to_numpy())
    assert f1_score(truth, guess, average="macro") < 0.35


def test_known_classes_include_faint_objects(catalog):
    faint = catalog.query("subclass == 'faint'")["snr"].median()
    for _, rows in catalog.query("label != 'unknown'").groupby("label"):
        assert (rows["snr"] < 2 * faint).mean() > 0.05

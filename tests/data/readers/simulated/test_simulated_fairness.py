"""Signal-to-noise and flux scale must not reveal the class."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score

from spectral.configs.data import readers


@pytest.fixture(scope="module")
def survey():
    """Catalog of 12,000 rows, and the log of the median absolute flux of the first 3,000."""
    reader = readers.build(readers.typed({"name": "simulated", "num_spectra": 12000}))
    flux = reader.read(np.arange(3000)).flux
    return reader.catalog(), np.log([np.median(np.abs(values)) for values in flux])


def guesses(values, labels):
    """True labels of the second half, and those that boosted trees guess from one number."""
    half = len(labels) // 2
    forest = HistGradientBoostingClassifier(max_iter=30, class_weight="balanced")
    forest.fit(values[:half, None], labels[:half])
    return labels[half:], forest.predict(values[half:, None])


# Three classes: a guess at random has balanced accuracy 1/3 exactly, and expected macro-F1 of 1/3 or less. Half of
# 12,000 rows hold about 480 quasars: the standard error of the balanced accuracy is about .010; of the flux's 3,000
# rows, .02. The bounds allow three of them.
def test_signal_to_noise_does_not_separate_stars_galaxies_and_quasars(survey):
    identified = survey[0].query("label != 'unknown'")
    truth, guess = guesses(np.log(identified["snr"].to_numpy()), identified["label"].to_numpy())
    assert balanced_accuracy_score(truth, guess) < 1 / 3 + 0.03
    assert f1_score(truth, guess, average="macro") < 1 / 3 + 0.03


def test_flux_scale_does_not_separate_stars_galaxies_and_quasars(survey):
    catalog, level = survey
    identified = (catalog["label"][:3000] != "unknown").to_numpy()
    truth, guess = guesses(level[identified], catalog["label"].to_numpy()[:3000][identified])
    assert balanced_accuracy_score(truth, guess) < 1 / 3 + 0.06
    assert f1_score(truth, guess, average="macro") < 1 / 3 + 0.06


def test_signal_to_noise_does_not_reveal_broken_exposures(survey):
    rows = survey[0].query("subclass != 'faint'")
    truth, guess = guesses(np.log(rows["snr"].to_numpy()), (rows["label"] == "unknown").to_numpy())
    assert balanced_accuracy_score(truth, guess) < 0.5 + 0.06


def test_signal_to_noise_reveals_faint_ones_in_part(survey):
    """Half of the unknown are faint by nature; even so S/N alone stays near the .25 of a guess among four."""
    truth, guess = guesses(np.log(survey[0]["snr"].to_numpy()), survey[0]["label"].to_numpy())
    assert f1_score(truth, guess, average="macro") < 0.35


def test_known_classes_include_faint_objects(survey):
    catalog = survey[0]
    faint = catalog.query("subclass == 'faint'")["snr"].median()
    for _, rows in catalog.query("label != 'unknown'").groupby("label"):
        assert (rows["snr"] < 2 * faint).mean() > 0.05

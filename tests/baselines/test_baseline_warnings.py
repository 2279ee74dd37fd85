"""Options of a baseline that change nothing are named."""

import logging
from pathlib import Path

import numpy as np
import pytest
from small_runs import OVERRIDES, composed

import spectral.configs.baseline_run  # noqa: F401  (puts the typed config where Hydra finds it)
from spectral.baselines.boosting import Boosting
from spectral.baselines.contract import Setting
from spectral.baselines.run import run as run_baseline
from spectral.configs.methods import BoostingConfig, methods

SHARED = [
    o for o in OVERRIDES if o.split("=")[0] in ("split.validation", "split.test", "num_threads", "seed", "tracker")
]
QUICK = [*SHARED, "plots=false"]


def test_options_of_the_data_that_do_nothing_are_named(
    survey_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = ["data=arrays", f"data.path={survey_file}", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}"]
    given = [*data, *QUICK, f"run_dir={tmp_path / 'run'}", "method=pls_da", "data.limit_draw=first"]
    run_baseline(composed(given, "baseline"))
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == ["data.limit_draw=first does nothing without data.limit."]


def test_boosting_of_too_few_spectra_for_two_leaves_names_a_smaller_leaf(caplog: pytest.LogCaptureFixture) -> None:
    labels = np.arange(30) % 2
    table = labels[:, None] + np.random.default_rng(0).normal(0, 0.1, (30, 8))
    setting = Setting(num_classes=2, seed=0, num_threads=1)

    def sure(min_leaf: int) -> float:
        method = methods.build(BoostingConfig(min_leaf=min_leaf), setting=setting)
        assert isinstance(method, Boosting)
        probabilities = method.make(table, labels).fit(table, labels).predict_proba(table)
        return float(probabilities[np.arange(30), labels].min())

    assert sure(20) == pytest.approx(0.5)
    assert "30 training spectra are too few for two leaves of method.min_leaf=20" in caplog.text
    assert "method.min_leaf=3 allows smaller leaves." in caplog.text
    caplog.clear()
    assert sure(3) > 0.9 and "min_leaf" not in caplog.text

"""Options of a baseline that change nothing are named."""

import logging
from pathlib import Path

import pytest
from small_runs import OVERRIDES, composed

import spectral.configs.baseline_run  # noqa: F401  (puts the typed config where Hydra finds it)
from spectral.baselines.run import run as run_baseline

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

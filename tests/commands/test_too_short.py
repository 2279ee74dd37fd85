"""Spectra of which the network's pooling leaves nothing: the run here needs two pixels."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from applied_runs import NUM, evaluate, predict
from small_runs import OVERRIDES, arrays, run

from spectral import load_run
from spectral.errors import UserError

SHORT = [3, 20, 41]
REASON = "too short for the network: it needs 2 pixels that are not padding, and the spectrum has 1"


def mask(num: int = NUM) -> np.ndarray:
    """Of the short ones one pixel is good, each another one; of row 5 two that follow each other, of row 6 the ends."""
    bad = np.zeros((num, 96), bool)
    bad[[*SHORT, 5, 6]] = True
    bad[SHORT, [0, 30, 95]] = bad[5, 40:42] = bad[6, [0, -1]] = False
    return bad


def test_a_short_spectrum_has_a_row_without_a_class(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(finished, spectra(mask=mask()), tmp_path / "cat.parquet")
    table = pd.read_parquet(tmp_path / "cat.parquet")
    assert np.flatnonzero(table["problem"].notna()).tolist() == SHORT and set(table["problem"][SHORT]) == {REASON}
    for name in ("predicted", "probability/star"):
        assert np.flatnonzero(table[name].isna()).tolist() == SHORT, name
    assert "skipped 3: too short for the network\n" in capsys.readouterr().out
    assert json.loads((tmp_path / "cat.parquet.json").read_text())["skipped"] == {"too short for the network": 3}


def test_a_short_spectrum_is_a_value_error_from_python(finished: Path) -> None:
    trained, flux = load_run(finished, device="cpu", precision="float32"), arrays(num=NUM, seed=5)["flux"]
    with pytest.raises(ValueError, match=f"spectrum 3 cannot be classified: {REASON}"):
        trained.predict_proba(flux, mask=mask())
    assert len(trained.predict_proba(flux[4:7], mask=mask()[4:7])) == 3


def test_short_spectra_are_warned_of_before_scores(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, cache = spectra(mask=mask()), f"cache_dir={tmp_path / 'cache'}"
    evaluate(finished, "data=arrays", f"data.path={path}", "data.num_workers=1", cache)
    assert_warned(caplog, "3 of the 50 spectra that were looked at have fewer than 2 pixels")


def test_short_spectra_are_warned_of_before_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.savez(tmp_path / "data.npz", **arrays(), mask=mask(120))
    folders = (f"run_dir={tmp_path / 'run'}", f"cache_dir={tmp_path / 'cache'}")
    data = ("data=arrays", f"data.path={tmp_path / 'data.npz'}", "data.num_workers=1")
    run([*data, *folders, *OVERRIDES, "schedule.stages.0.epochs=1"])
    assert_warned(caplog, "3 of the 120 spectra that were looked at have fewer than 2 pixels")


def test_a_crop_that_may_leave_too_few_pixels_is_refused_before_training(pack_folder: Path, tmp_path: Path) -> None:
    crop = "inputs.augmentations=[{name: crop, min_share: 0.01}]"
    sentence = r"crop has min_share=0\.01, which may leave 1 of 96 pixels, and the network needs 2: give a larger share"
    with pytest.raises(UserError, match=sentence):
        run(["data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path / 'run'}", *OVERRIDES, crop])
    assert not (tmp_path / "run" / "config.yaml").exists()


def assert_warned(caplog: pytest.LogCaptureFixture, sentence: str) -> None:
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([text for text in said if text.startswith(sentence)]) == 1, said

"""The folds of each trial are scored as one at the end of a cross-validation, and only once."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loop_runs import Call, Sweep, sweep

from sweeps.console.summary import summarize

NUM_TRIALS = 22  # more than the table of the best shows
CLASSES = ["star", "qso"]
FOLD = "split.fold"


def task(call: Call) -> float:
    """A fold of ten spectra, of which x / 10 are called by the wrong name."""
    fold, num_wrong = call.values[FOLD], call.values["x"] // 10
    (call.folder / "config.yaml").write_text(f"split: {{name: kfold, num_folds: 3, fold: {fold}}}\n")
    survey = {"fingerprint": "f", "class_names": CLASSES}
    (call.folder / "result.json").write_text(json.dumps({"val/macro_f1": 0.5, "survey": survey}))
    labels = CLASSES * 5
    predicted = [CLASSES[(k + (k < num_wrong)) % 2] for k in range(10)]
    table: dict[str, Any] = {"id": [f"{fold}-{k}" for k in range(10)], "split": "validation", "label": labels}
    table |= {f"probability/{name}": [float(one == name) for one in predicted] for name in CLASSES}
    pd.DataFrame(table | {"predicted": predicted}).to_parquet(call.folder / "predictions.parquet")
    return float(call.values["x"])


def cross_validation(folder: Path, num_trials: int) -> Sweep:
    options: dict[str, Any] = {"sampler": "grid", "seeds": [0, 1, 2], "seed_key": FOLD}
    return sweep(folder, {"x": list(range(num_trials))}, task, **options)


def scored(folder: Path) -> dict[str, int]:
    """When the folds of a trial were scored as one, by the trial's folder."""
    found = folder.glob("*/out_of_fold/result.json")
    return {path.parent.parent.name: path.stat().st_mtime_ns for path in found}


def test_every_complete_trial_is_scored_out_of_fold_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = cross_validation(tmp_path, NUM_TRIALS)
    summarize(done.study, tmp_path)
    first, output = scored(tmp_path), capsys.readouterr().out
    assert first.keys() == {str(number) for number in range(NUM_TRIALS)}
    assert "Trial 0, out of fold" in output
    kept = json.loads((tmp_path / "sweep.json").read_text())["out_of_fold"]
    assert kept["number"] == 0 and kept["val/macro_f1"] == 1 and kept["val/num_spectra"] == 30
    (tmp_path / "7" / "seed-1" / "predictions.parquet").touch()  # as if it had been run again
    summarize(done.study, tmp_path)
    again = scored(tmp_path)
    assert [name for name in first if again[name] != first[name]] == ["7"]
    assert capsys.readouterr().out == output


def test_a_trial_that_lacks_a_fold_has_no_score_out_of_fold(tmp_path: Path) -> None:
    done = cross_validation(tmp_path, 2)
    shutil.rmtree(tmp_path / "0" / "seed-2")
    summarize(done.study, tmp_path)
    assert scored(tmp_path).keys() == {"1"}
    assert json.loads((tmp_path / "sweep.json").read_text())["out_of_fold"] is None


def test_a_fold_that_cannot_be_read_leaves_the_other_trials_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = cross_validation(tmp_path, 3)
    (tmp_path / "1" / "seed-0" / "predictions.parquet").write_bytes(b"PAR1")
    summarize(done.study, tmp_path)
    output = capsys.readouterr().out
    assert "The folds of trial 1 could not be scored as one: " in output and "Trial 0, out of fold" in output
    assert scored(tmp_path).keys() == {"0", "2"}

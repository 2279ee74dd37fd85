"""Two cross-validated trials in `sweeps.compare`: their runs are folds, not seeds."""

import json
from pathlib import Path

import pandas as pd
import pytest
from loop_runs import Call, sweep

from sweeps.compare import command
from sweeps.storage.connect import open_storage

LABELS = ["star"] * 6 + ["qso"] * 4
FOLD = "split.fold"


def task(call: Call) -> float:
    """A fold that predicts the test part, with x mistakes."""
    x, fold = call.values["x"], call.values[FOLD]
    config = f"x: {x}\nsplit: {{name: kfold, num_folds: 3, fold: {fold}}}\n"
    (call.folder / "config.yaml").write_text(config)
    survey = {"fingerprint": "f", "class_names": ["star", "qso"]}
    (call.folder / "result.json").write_text(json.dumps({"val/macro_f1": 0.5, "survey": survey}))
    table = {"id": [f"s{row}" for row in range(10)], "split": "test", "label": LABELS}
    predicted = ["qso"] * x + LABELS[x:]
    pd.DataFrame(table | {"predicted": predicted}).to_parquet(call.folder / "predictions.parquet")
    return float(x)


def test_folds_are_called_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()
    sweep(Path("outputs/sweeps/mine"), {"x": [1, 3]}, task, sampler="grid", seeds=[0, 1, 2], seed_key=FOLD)
    (tmp_path / "outputs/sweeps/mine/1/seed-1/result.json").unlink()
    assert command.main(["mine:0", "mine:1"]) == 0
    output = capsys.readouterr().out
    assert "A fold of study:1 is left out: " in output
    assert "The metrics of study:0 are means over 3 folds." in output
    assert "The metrics of study:1 are means over 2 folds." in output
    assert "of study:1 (mean over 2 folds) less that of study:0 (mean over 3 folds): " in output
    assert "seeds" not in output

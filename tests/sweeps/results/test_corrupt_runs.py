"""Runs with corrupt files in the commands that read many: one sentence each, and the other runs are shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sweeps.compare import command as compare
from sweeps.ls import command as ls
from sweeps.report import command as report
from sweeps.results.run import Run

Change = Callable[[dict[str, Any]], Any]
NESTED = "[" * 20_000


def make_run(folder: Path) -> Path:
    folder.mkdir(parents=True)
    stages = "schedule: {stages: [{epochs: 2}]}"
    (folder / "config.yaml").write_text(f"run_dir: {folder}\nseed: 0\nobjective: val/macro_f1\n{stages}\n")
    row = {"stage": "train", "train/loss": 1.0, "val/macro_f1": 0.5}
    (folder / "metrics.jsonl").write_text("".join(json.dumps({"epoch": n} | row) + "\n" for n in (1, 2)))
    survey = {"fingerprint": "f", "class_names": ["a", "b"], "folder": "nowhere"}
    result = {"objective": "val/macro_f1", "val/macro_f1": 0.5, "num_epochs": 2, "best_epoch": 2, "survey": survey}
    (folder / "result.json").write_text(json.dumps(result | {"confusion": {"val": [[1, 0], [0, 1]]}}))
    table = {"id": ["1", "2"], "split": "validation", "label": ["a", "b"], "predicted": ["a", "b"]}
    pd.DataFrame(table | {"probability/a": [0.9, 0.1]}).to_parquet(folder / "predictions.parquet")
    return folder


def result_with(**values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "result.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def written(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content) and None


def table_with(**columns: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        pd.read_parquet(folder / "predictions.parquet").assign(**columns).to_parquet(folder / "predictions.parquet")

    return change


DAMAGE: dict[str, Callable[[Path], None]] = {
    "half result": written("result.json", '{"objective": "val/mac'),
    "empty result": written("result.json", ""),
    "nested result": written("result.json", NESTED),
    "list as result": written("result.json", "[1]"),
    "survey is text": result_with(survey="x"),
    "survey is null": result_with(survey=None),
    "class names are a number": result_with(survey={"class_names": 5, "fingerprint": "f"}),
    "score is text": result_with(**{"val/macro_f1": "high"}),
    "score is null": result_with(**{"val/macro_f1": None}),
    "objective is a number": result_with(objective=5),
    "epochs are text": result_with(num_epochs="two"),
    "confusion is a number": result_with(confusion=3),
    "confusion of another size": result_with(confusion={"val": [[1]]}),
    "half row": written("metrics.jsonl", '{"epoch": 1\n{"epoch": 2}\n'),
    "row without epoch": written("metrics.jsonl", '{"val/macro_f1": 0.5}\n'),
    "row of text": written("metrics.jsonl", '{"epoch": 1, "val/macro_f1": "x"}\n'),
    "nested row": written("metrics.jsonl", NESTED + "\n"),
    "empty config": written("config.yaml", ""),
    "half config": written("config.yaml", "schedule: {stages: ["),
    "list as config": written("config.yaml", "[1, 2]"),
    "nested config": written("config.yaml", "[" * 600),
    "config of other types": written("config.yaml", "schedule: 5\nobjective: {a: 1}\nseed: [1]\n"),
    "half predictions": lambda folder: (folder / "predictions.parquet").write_bytes(b"PAR1xx") and None,
    "predictions without label": lambda folder: (
        pd.read_parquet(folder / "predictions.parquet").drop(columns="label").to_parquet(folder / "predictions.parquet")
    ),
    "probabilities are text": table_with(**{"probability/a": ["x", "y"]}),
    "predicted is a number": table_with(predicted=[1, 2]),
    "labels of other classes": table_with(label=["x", "y"]),
    "labels are missing": table_with(label=[None, None]),
    "splits are numbers": table_with(split=[1, 2]),
    "probabilities of another class": table_with(**{"probability/z": [0.5, 0.5]}),
    "ids twice": table_with(id=["1", "1"]),
    "epochs out of order": written("metrics.jsonl", '{"epoch": 7, "val/macro_f1": 0.1}\n{"epoch": 2}\n'),
    "config is a number": written("config.yaml", "5"),
    "class names twice": result_with(survey={"class_names": ["a", "a"], "fingerprint": "f"}),
    "many numbers": result_with(num_parameters=10**400),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_corrupt_run_does_not_keep_the_others_from_being_shown(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = make_run(tmp_path / "runs" / "whole"), make_run(tmp_path / "runs" / "broken")
    DAMAGE[damage](broken)
    assert ls.main([str(tmp_path)]) == 0
    assert "whole" in capsys.readouterr().out
    assert report.main([str(tmp_path / "runs"), "--no-saliency"]) == 0
    assert "whole" in (tmp_path / "runs" / "report.html").read_text()
    assert report.main([str(broken)]) in (0, 2)
    capsys.readouterr()
    assert compare.main([str(whole), str(broken)]) in (0, 2)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err and len(said.err.splitlines()) <= 1


def test_a_run_that_scored_nothing_has_no_predictions(tmp_path: Path) -> None:
    """Its file has no columns if an earlier version wrote it."""
    folder = make_run(tmp_path / "run")
    pd.DataFrame().to_parquet(folder / "predictions.parquet")
    assert Run(folder).split("validation").empty


@pytest.mark.parametrize("name", ["result.json", "metrics.jsonl"])
def test_an_unfinished_run_with_a_corrupt_row_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = make_run(tmp_path / "runs" / "whole"), make_run(tmp_path / "runs" / "broken")
    for run in (whole, broken):
        (run / "result.json").unlink()
    (broken / name).write_text('{"epoch": "x"}\n' if name == "metrics.jsonl" else "{")
    assert compare.main([str(whole), str(broken)]) == 2
    assert f"{name} cannot be read: " in capsys.readouterr().err


@pytest.mark.parametrize("content", ['{"evaluated": "a', "", "[1]", NESTED])
def test_a_corrupt_evaluation_is_refused(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, broken = make_run(tmp_path / "runs" / "whole"), tmp_path / "evaluation"
    broken.mkdir()
    (broken / "result.json").write_text(content)
    assert compare.main([str(whole), str(broken)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {broken / 'result.json'} cannot be read: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("result.json", '{"survey": 5}', "result.json cannot be read: survey is not a mapping"),
        ("config.yaml", "schedule: 5", "config.yaml cannot be read: schedule.stages names no epochs"),
        ("config.yaml", "[1]", "config.yaml cannot be read: schedule.stages names no epochs"),
    ],
)
def test_the_list_says_what_is_wrong_with_a_run(
    name: str, content: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = make_run(tmp_path / "runs" / "broken")
    (broken / name).write_text(content)
    assert ls.main([str(tmp_path)]) == 0
    printed = capsys.readouterr().err
    assert sentence in printed and "Error" not in printed and printed.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.yaml", "", "config.yaml cannot be read: it holds no config"),
        ("result.json", "{}", "result.json cannot be read: it holds no result"),
        ("config.yaml", "seed: 1", "was stopped after epoch 2, and no epoch has its objective"),
    ],
)
def test_a_file_without_content_is_not_taken_for_a_run_that_has_not_begun(
    name: str, content: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = make_run(tmp_path / "runs" / "whole"), make_run(tmp_path / "runs" / "broken")
    (broken / "result.json").unlink()
    (broken / name).write_text(content)
    compare.main([str(whole), str(broken)])
    said = capsys.readouterr()
    assert sentence in said.out + said.err

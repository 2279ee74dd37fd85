"""Which folders `spectral.evaluate` writes to at `out=`."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from applied_runs import evaluate
from small_runs import result

from spectral.errors import UserError
from spectral.inference import evaluation


def killed(*_: Any) -> Any:
    raise KeyboardInterrupt


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_evaluation_of_the_same_run_alone_is_replaced(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "scores"
    evaluate(finished, f"out={out}")
    (out / "notes.txt").write_text("of the user\n")
    evaluate(finished, f"out={out}", "on=validation")
    assert "val/macro_f1" in result(out) and "test/macro_f1" not in result(out)
    other, before = shutil.copytree(finished, tmp_path / "other"), files(out)
    monkeypatch.setattr(evaluation, "evaluate", None)  # no work at all
    sentence = f"out={out} holds the evaluation of another run, {finished}: give the evaluation a folder of its own."
    with pytest.raises(UserError, match=f"^{sentence}$"):
        evaluate(other, f"out={out}")
    assert files(out) == before


def test_an_evaluation_of_a_run_that_was_given_from_another_folder_is_replaced(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores"
    out.mkdir()
    (out / "result.json").write_text('{"evaluated": "runs/there/no/more"}')
    evaluation.check_out(str(out), str(finished))
    (out / "result.json").write_text(f'{{"evaluated": "{finished}"}}')
    with pytest.raises(UserError, match="holds the evaluation of another run"):
        evaluation.check_out(str(out), str(tmp_path))


def test_of_a_run_that_was_moved_the_evaluation_is_known_by_the_weights(finished: Path, tmp_path: Path) -> None:
    run, out = shutil.copytree(finished, tmp_path / "run"), tmp_path / "scores"
    evaluate(run, f"out={out}")
    moved = run.rename(tmp_path / "moved")
    evaluation.check_out(str(out), str(moved))
    (moved / "best.safetensors").write_bytes(b"of another run")
    with pytest.raises(UserError, match=f"holds the evaluation of {run} with other weights: give"):
        evaluation.check_out(str(out), str(moved))


def test_the_evaluation_of_a_run_that_was_made_again_in_its_folder_is_replaced(finished: Path, tmp_path: Path) -> None:
    run, out = shutil.copytree(finished, tmp_path / "run"), tmp_path / "scores"
    evaluate(run, f"out={out}")
    (run / "best.safetensors").write_bytes(b"of the run that was made again")
    evaluation.check_out(str(out), str(run))


def test_what_is_no_evaluation_is_kept(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("notes", "results", "catalog"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("text")
    (tmp_path / "notes" / "a.txt").write_text("text")
    (tmp_path / "results" / "result.json").write_text('{"score": 1}')
    pd.DataFrame({"id": ["a"], "predicted": ["qso"]}).to_parquet(tmp_path / "catalog" / "predictions.parquet")
    before = files(tmp_path)
    monkeypatch.setattr(evaluation, "evaluate", None)  # no work at all
    for place, sentence in {
        "notes": "is not empty and holds no evaluation: give the evaluation a folder of its own",
        "results": "is not empty and holds no evaluation",
        "catalog": "is not empty and holds no evaluation",
        "file": "cannot be written: .*file is a file, not a folder",
        "file/new": "cannot be written: .*file is a file, not a folder",
    }.items():
        with pytest.raises(UserError, match=f"out={tmp_path / place} {sentence}"):
            evaluate(finished, f"out={tmp_path / place}")
    assert files(tmp_path) == before


def test_a_stop_leaves_no_scores_next_to_predictions_that_are_not_theirs(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "scores"
    evaluate(finished, f"out={out}")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(evaluation, "write_json", killed)
        evaluate(finished, f"out={out}", "on=validation")
    assert [path.name for path in out.iterdir()] == ["predictions.parquet"]
    evaluate(finished, f"out={out}", "on=validation")  # what is left is taken for that of an evaluation
    assert "val/macro_f1" in result(out)

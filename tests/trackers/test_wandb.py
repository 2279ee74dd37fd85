"""Runs told to the real Weights & Biases, offline, and read back with its own reader."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from offline_runs import check_epochs, offline_runs
from omegaconf import OmegaConf
from small_runs import StoppedError, outcome, rows, run, stop_after

Overrides = Callable[..., list[str]]


def without_sweep(config: Any) -> dict[str, Any]:
    """A config but for the search, which run.py takes out: the reader leaves out what is empty in it."""
    return {key: value for key, value in dict(config).items() if key != "sweep"}


def test_a_run_is_told_whole_and_named(
    tracked: Overrides, small: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    secret = "0123456789abcdef" * 3  # of a key's form
    with caplog.at_level(logging.INFO), pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_API_KEY", secret)
        run(tracked("wandb", "tracker.mode=offline", "tracker.tags=[small,test]", "tracker.upload_weights=true"))
    (told,) = offline_runs(folder)
    check_epochs(folder, told.epochs)
    assert all(row["memory/mb"] > 0 and row["lr"] > 0 for row in told.epochs)
    assert without_sweep(told.summary["config"]) == without_sweep(OmegaConf.load(folder / "config.yaml"))
    about = told.about
    assert (about["project"], about["job_type"], sorted(about["tags"])) == ("spectral", "single", ["small", "test"])
    assert "run_group" not in about
    result = json.loads((folder / "result.json").read_text())
    summary = told.summary["summary"]
    assert (summary["status"], summary["attempt"], summary["result/test/macro_f1"]) == (
        "finished",
        1,
        result["test/macro_f1"],
    )
    best = max(row["val/macro_f1"] for row in rows(folder))
    assert summary["val/macro_f1"] == {"max": best}
    assert set(summary["val/f1/qso"]) == {"max"} and set(summary["train/loss"]) == {"min"}
    assert told.metrics["val/f1/qso"]["step_metric"] == told.metrics["val/macro_f1"]["step_metric"] == "epoch"
    for name in ("curves", "confusion", "precision_recall"):
        assert summary[name]["_type"] == "image-file"
    artifacts = {r["artifact"]["type"]: r["artifact"] for r in told.records if r["type"] == "artifact"}
    uploaded = {Path(entry["path"]).name for entry in artifacts["model"]["manifest"]["contents"]}
    assert uploaded == {"best.safetensors", "model.json"}
    # Said once, and the command is the one that uploads it.
    said = [record.getMessage() for record in caplog.records if record.name == "spectral.tracking"]
    assert said == [f"wandb: the run was kept offline; to upload it: wandb sync {told.folder}"]
    # Nothing beside the run folder, and the key nowhere.
    assert not list((tmp_path / "home").rglob("*.png")) and not Path("wandb").exists()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if secret.encode() in path.read_bytes()]
    assert secret not in caplog.text
    # What a run gives does not depend on who is told.
    run(small(folder="alone"))
    assert outcome(folder) == outcome(tmp_path / "alone")


def test_a_run_that_is_stopped_goes_on_under_its_id_and_says_how_it_ended(
    tracked: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What a callback raises is a decision to prune; the run may be taken up again all the same."""
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        run(tracked("wandb", "plots=false"), stop_after(2))
    with caplog.at_level(logging.INFO):
        run(tracked("wandb", "plots=false"))
    first, second = offline_runs(folder)
    known = json.loads((folder / "tracker.json").read_text())["wandb"]
    assert first.about["run_id"] == second.about["run_id"] == known["id"]
    assert (first.summary["summary"]["status"], second.summary["summary"]["status"]) == ("pruned", "finished")
    assert (first.summary["summary"]["attempt"], second.summary["summary"]["attempt"]) == (1, 2)
    check_epochs(folder, [*first.epochs, *second.epochs])
    said = f"no key was found, so the run was kept offline; to upload it: wandb sync {second.folder}"
    assert caplog.text.count(said) == 1


def test_a_folder_that_cannot_be_written_harms_nothing(
    tracked: Overrides, small: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "wandb").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        run(tracked("wandb", "plots=false"))
    run(small(folder="alone"))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "alone")
    said = [record.getMessage() for record in caplog.records if record.name == "spectral.tracking"]
    assert len(said) == 1 and said[0].startswith("tracker=wandb stopped (FileExistsError: ")

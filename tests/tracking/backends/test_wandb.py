"""Runs told to the real Weights & Biases, offline, and read back with its own reader."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from offline_runs import check_epochs, offline_runs
from omegaconf import OmegaConf
from small_runs import REPOSITORY, StoppedError, outcome, rows, run, stop_after

from spectral.configs import trackers as configs
from spectral.errors import UserError
from spectral.tracking.backends.contract import TrackedAs

Overrides = Callable[..., list[str]]
PATIENCE_S = 300.0


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
        run(tracked("wandb", "tracker.mode=offline", "tracker.tags=[small,test]"))
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
    assert told.weights == {"best.safetensors", "model.json"}
    # Said once, and the command is the one that uploads it.
    said = [record.getMessage() for record in caplog.records if record.name == "spectral.tracking.client"]
    assert said == [f"wandb: the run was kept offline; to upload it: wandb sync {told.folder}"]
    # Nothing beside the run folder, and the key nowhere.
    assert not list(Path.home().rglob("*.png")) and not Path("wandb").exists()
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
    said = f"no key was found, so the run was kept offline; to upload it: wandb sync {first.folder} {second.folder}"
    assert caplog.text.count(said) == 1


def test_a_start_that_only_adds_test_scores_goes_on_in_the_runs_steps(tracked: Overrides, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(tracked("wandb", "score_test=false"))
    run(tracked("wandb", "score_test=true"))
    first, second = offline_runs(folder)
    assert first.about["run_id"] == second.about["run_id"]
    check_epochs(folder, first.epochs)
    # What each start ends with has a step of its own, at the last epoch.
    ends = [[(row["_step"], row["epoch"]) for row in run.history if "train/loss" not in row] for run in (first, second)]
    assert ends == [[(4, 3)], [(5, 3)]] and second.epochs == []
    summaries = [run.summary["summary"] for run in (first, second)]
    assert [summary["attempt"] for summary in summaries] == [1, 1]
    result = json.loads((folder / "result.json").read_text())
    assert "result/test/macro_f1" not in summaries[0]
    assert summaries[1]["result/test/macro_f1"] == result["test/macro_f1"]


@pytest.mark.parametrize(
    ("is_one_of_many", "option", "is_kept"),
    [(True, "auto", False), (False, "auto", True), (True, "always", True), (False, "never", False)],
)
def test_weights_of_one_run_of_many_are_kept_if_they_are_asked_for(
    is_one_of_many: bool, option: str, is_kept: bool, tracked: Overrides, tmp_path: Path
) -> None:
    overrides = tracked("wandb", f"tracker.upload_weights={option}", "schedule.stages.0.epochs=1", "plots=false")
    run(overrides, tracked_as=TrackedAs("x=1", "s", "kind", is_one_of_many))
    (told,) = offline_runs(tmp_path / "run")
    assert (told.about["display_name"], told.about["run_group"], told.about["job_type"]) == ("x=1", "s", "kind")
    assert told.weights == ({"best.safetensors", "model.json"} if is_kept else set())


FINISH = """
import sys
from wandb.sdk import wandb_setup
from spectral.tracking.backends.contract import Ending, TrackedRun
from spectral.tracking.backends.wandb import WandbTracker
run = TrackedRun(id=None, folder=sys.argv[1], config={})
tracker = WandbTracker(run, project="p", entity=None, mode="offline", tags=[], start_timeout_s=60.0)
tracker.log({"x": 1.0}, 1)
service = wandb_setup.singleton().assert_service()._proc._process
tracker.finish(Ending("finished"))
print(service.poll())
"""


def test_the_librarys_process_has_written_its_file_and_ended_before_the_tracker_may(tmp_path: Path) -> None:
    """It writes in blocks: what it still holds back would be lost with it."""
    done = subprocess.run([sys.executable, "-c", FINISH, str(tmp_path)], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "0", done.stderr
    (told,) = offline_runs(tmp_path)
    assert told.summary["summary"]["status"] == "finished"


def test_a_folder_that_cannot_be_written_harms_nothing(
    tracked: Overrides, small: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "wandb").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        run(tracked("wandb", "plots=false"))
    run(small(folder="alone"))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "alone")
    said = [record.getMessage() for record in caplog.records if record.name == "spectral.tracking.client"]
    assert len(said) == 1 and said[0].startswith("tracker=wandb stopped (FileExistsError: ")


def test_it_can_be_disabled_for_all_by_its_own_variable(
    tracked: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with caplog.at_level(logging.INFO, "spectral.tracking.client"):
        run(tracked("wandb", "schedule.stages.0.epochs=1", "plots=false"))
    assert not [record for record in caplog.records if record.name == "spectral.tracking.client"]
    assert not offline_runs(tmp_path / "run")


@pytest.mark.parametrize(
    ("mode", "environment", "sentence"),
    [
        ("online", {}, "tracker.mode=online needs a key .*, and no key was found: .*`wandb login`.* tracker.mode=auto"),
        ("online", {"WANDB_API_KEY": "short"}, "tracker.mode=online needs a key .*, and the key is not a valid one: "),
        ("auto", {"WANDB_MODE": "online"}, "WANDB_MODE=online needs a key .*, or unset WANDB_MODE to keep"),
        ("offline", {"WANDB_MODE": "ofline"}, "^WANDB_MODE=ofline is not a mode .* did you mean 'offline'. allowed: "),
    ],
)
def test_what_cannot_be_had_is_refused_before_training(
    mode: str, environment: dict[str, str], sentence: str, tracked: Overrides, tmp_path: Path, monkeypatch: Any
) -> None:
    configs._why_no_key.cache_clear()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=sentence):
        run(tracked("wandb", f"tracker.mode={mode}"))
    assert not (tmp_path / "run").exists()


def test_a_run_with_a_key_may_be_asked_to_be_online(monkeypatch: pytest.MonkeyPatch) -> None:
    configs._why_no_key.cache_clear()
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
    configs.WandbConfig(mode="online").check("tracker")


@pytest.mark.slow
def test_a_run_that_fails_says_why(tracked: Overrides, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        run(tracked("wandb", "optimizer.lr=1e30"))
    (told,) = offline_runs(tmp_path / "run")
    summary = told.summary["summary"]
    assert summary["status"] == "failed" and summary["reason"].startswith("NonFiniteLossError: the loss became")
    assert told.summary["exit_code"] == 1


@pytest.mark.slow
def test_ctrl_c_is_an_interruption(tracked: Overrides, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    longer = tracked("wandb", "plots=false", "schedule.stages.0.epochs=2000")
    command = [sys.executable, str(REPOSITORY / "run.py"), *longer]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    deadline = time.monotonic() + PATIENCE_S
    record = folder / "tracker.json"
    while not (record.exists() and json.loads(record.read_text())["wandb"]["id"]):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it, to all processes of the command
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, output
    (told,) = offline_runs(folder)
    steps, written = [row["_step"] for row in told.epochs], [row["epoch"] for row in rows(folder)]
    # It may come between an epoch's row and the word of it, which the next start then gives.
    assert steps in (written, written[:-1])
    assert told.summary["summary"]["status"] == "interrupted"
    assert output.splitlines()[-1] == "stopped." and "Traceback" not in output

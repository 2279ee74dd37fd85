"""Runs logged to the real Weights & Biases, offline, and read back with its own reader."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from offline_runs import check_epochs, offline_runs
from omegaconf import OmegaConf
from slow_cases import slow_after
from small_runs import REPOSITORY, StoppedError, outcome, rows, run, stop_after
from waiting import PATIENCE_S, await_that

from spectral.configs import trackers as configs
from spectral.errors import UserError
from spectral.plots import misclassified
from spectral.tracking.backends.contract import TrackedAs

Overrides = Callable[..., list[str]]


def without_sweep(config: Any) -> dict[str, Any]:
    """A config without the search, which run.py removes, and without empty values, which the reader leaves out."""
    return {key: value for key, value in dict(config).items() if key != "sweep"}


def test_a_run_is_logged_completely_under_its_name(
    tracked: Overrides, small: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    secret = "0123456789abcdef" * 3  # of a key's form
    with caplog.at_level(logging.INFO), pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_API_KEY", secret)
        patch.setattr(misclassified, "NUM_SHOWN", 1)  # a picture each
        patch.setenv("WANDB_MODE", "")  # as if it were not set, though the library itself refuses it
        run(tracked("wandb", "tracker.mode=offline", "tracker.tags=[small,test]"))
    (logged,) = offline_runs(folder)
    check_epochs(folder, logged.epochs)
    assert all(row["memory/mb"] > 0 and row["lr"] > 0 for row in logged.epochs)
    assert without_sweep(logged.summary["config"]) == without_sweep(OmegaConf.load(folder / "config.yaml"))
    about = logged.about
    assert (about["project"], about["job_type"], sorted(about["tags"])) == ("spectral", "single", ["small", "test"])
    assert "run_group" not in about
    result = json.loads((folder / "result.json").read_text())
    summary = logged.summary["summary"]
    assert (summary["status"], summary["attempt"], summary["result/test/macro_f1"]) == (
        "finished",
        1,
        result["test/macro_f1"],
    )
    best = max(row["val/macro_f1"] for row in rows(folder))
    assert summary["val/macro_f1"] == {"max": best}
    assert set(summary["val/f1/qso"]) == {"max"} and set(summary["train/loss"]) == {"min"}
    assert logged.metrics["val/f1/qso"]["step_metric"] == logged.metrics["val/macro_f1"]["step_metric"] == "epoch"
    for name in ("curves", "confusion", "precision_recall"):
        assert summary[name]["_type"] == "image-file"
    assert logged.weights == {"best.safetensors", "model.json"}
    # Logged once, with the command that uploads the run.
    messages = [record.getMessage() for record in caplog.records if record.name == "spectral.tracking.client"]
    assert messages == [f"wandb: the run was kept offline; to upload it: wandb sync {logged.folder}"]
    # Nothing next to the run folder, and the key nowhere.
    assert not list(Path.home().rglob("*.png")) and not Path("wandb").exists()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if secret.encode() in path.read_bytes()]
    assert secret not in caplog.text
    # The result of a run does not depend on its tracker.
    run(small(folder="alone"))
    assert outcome(folder) == outcome(tmp_path / "alone")


@pytest.mark.slow
def test_a_stopped_run_resumes_under_its_id_and_logs_how_it_ended(
    tracked: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception of a callback is a decision to prune; the run can still be resumed."""
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        run(tracked("wandb", "plots=false"), stop_after(2))
    with caplog.at_level(logging.INFO):
        run(tracked("wandb", "plots=false", "tracker.mode=offline"))
    first, second = offline_runs(folder)
    recorded = json.loads((folder / "tracker.json").read_text())["wandb"]
    assert first.about["run_id"] == second.about["run_id"] == recorded["id"]
    assert (first.summary["summary"]["status"], second.summary["summary"]["status"]) == ("pruned", "finished")
    assert (first.summary["summary"]["attempt"], second.summary["summary"]["attempt"]) == (1, 2)
    check_epochs(folder, [*first.epochs, *second.epochs])
    assert caplog.text.count(f"the run was kept offline; to upload it: wandb sync {first.folder} {second.folder}") == 1


@pytest.mark.slow
def test_nothing_is_said_of_a_run_without_a_key(
    tracked: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The default tracker, for users who have no account to upload to."""
    with caplog.at_level(logging.INFO):
        run(tracked("wandb", "plots=false", "schedule.stages.0.epochs=1"))
    assert len(offline_runs(tmp_path / "run")) == 1
    assert "wandb" not in caplog.text.replace(str(tmp_path), "")


@pytest.mark.slow
def test_test_scores_added_later_continue_the_steps_of_the_run(tracked: Overrides, tmp_path: Path) -> None:
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
    slow_after(2, [(True, "auto", False), (False, "auto", True), (True, "always", True), (False, "never", False)]),
)
def test_weights_of_a_trial_are_logged_only_if_asked_for(
    is_one_of_many: bool,
    option: str,
    is_kept: bool,
    tracked: Overrides,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is said of the tracker meanwhile: it is the default, for users who have no account to upload to."""
    overrides = tracked("wandb", f"tracker.upload_weights={option}", "schedule.stages.0.epochs=1", "plots=false")
    with caplog.at_level(logging.INFO):
        run(overrides, tracked_as=TrackedAs("x=1", "s", "kind", is_one_of_many))
    assert "wandb" not in caplog.text.replace(str(tmp_path), "")
    (logged,) = offline_runs(tmp_path / "run")
    assert (logged.about["display_name"], logged.about["run_group"], logged.about["job_type"]) == ("x=1", "s", "kind")
    assert logged.weights == ({"best.safetensors", "model.json"} if is_kept else set())


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


@pytest.mark.slow
def test_the_tracker_ends_only_after_the_library_has_written_its_file(tmp_path: Path) -> None:
    """The library writes in blocks: what it has not yet written would be lost with it."""
    done = subprocess.run([sys.executable, "-c", FINISH, str(tmp_path)], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "0", done.stderr
    (logged,) = offline_runs(tmp_path)
    assert logged.summary["summary"]["status"] == "finished"


NAMED = """
import json, sys
from spectral.tracking.backends.contract import Ending, TrackedRun
from spectral.tracking.backends.wandb import WandbTracker
names = json.loads(sys.argv[2])
run = TrackedRun(id=None, folder=sys.argv[1], config={}, summary_by=dict.fromkeys(names, "max"))
tracker = WandbTracker(run, project="p", entity=None, mode="offline", tags=[], start_timeout_s=60.0)
tracker.log(dict.fromkeys(names, 0.75), 1)
tracker.log(dict.fromkeys(names, 0.5), 2)
tracker.finish(Ending("finished"))
"""


def test_class_names_may_hold_dots_and_stars(tmp_path: Path) -> None:
    """Such as spectral types, and the object types of SIMBAD. The library takes a star for a pattern."""
    names = [f"val/f1/{name}" for name in ("M5.5", "RR*", "Y*O", "qso")]
    command = [sys.executable, "-c", NAMED, str(tmp_path), json.dumps(names)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    (logged,) = offline_runs(tmp_path)
    assert [logged.summary["summary"][name] for name in names] == [{"max": 0.75}, 0.5, 0.5, {"max": 0.75}]


def test_a_folder_that_cannot_be_written_does_not_harm_the_run(
    tracked: Overrides, small: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "wandb").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        run(tracked("wandb", "plots=false"))
    run(small(folder="alone"))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "alone")
    messages = [record.getMessage() for record in caplog.records if record.name == "spectral.tracking.client"]
    assert len(messages) == 1 and messages[0].startswith("tracker=wandb stopped (FileExistsError: ")


def test_the_variable_of_the_library_disables_it_for_all_runs(
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
        pytest.param(
            "online",
            {"WANDB_API_KEY": "short"},
            "tracker.mode=online needs a key .*, and the key is not a valid one: ",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "auto",
            {"WANDB_MODE": "online"},
            "WANDB_MODE=online needs a key .*, or unset WANDB_MODE to keep",
            marks=pytest.mark.slow,
        ),
        ("offline", {"WANDB_MODE": "ofline"}, "^WANDB_MODE=ofline is not a mode .* did you mean 'offline'. allowed: "),
    ],
)
def test_unavailable_modes_are_refused_before_training(
    mode: str, environment: dict[str, str], sentence: str, tracked: Overrides, tmp_path: Path, monkeypatch: Any
) -> None:
    configs._why_no_key.cache_clear()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=sentence):
        run(tracked("wandb", f"tracker.mode={mode}"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("named", "mode"), [("dryrun", "offline"), ("offline", "offline"), ("run", "online"), ("", None)]
)
def test_a_mode_may_have_an_older_name_of_the_library(
    named: str, mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spectral.tracking.backends.wandb_key import mode_of_environment  # imports the library, which takes seconds

    monkeypatch.setattr(configs, "_why_no_key", lambda: "no key was found")
    monkeypatch.setenv("WANDB_MODE", named)
    refused = pytest.raises(UserError, match=f"^WANDB_MODE={named} needs a key")
    with refused if mode == "online" else nullcontext():
        configs.WandbConfig().check("tracker")
    assert mode_of_environment() == mode
    configs.WandbConfig(mode="offline").check("tracker")


def test_a_run_with_a_key_can_be_online(monkeypatch: pytest.MonkeyPatch) -> None:
    configs._why_no_key.cache_clear()
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
    configs.WandbConfig(mode="online").check("tracker")


@pytest.mark.slow
def test_a_failed_run_logs_its_reason(tracked: Overrides, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        run(tracked("wandb", "optimizer.lr=1e30"))
    (logged,) = offline_runs(tmp_path / "run")
    summary = logged.summary["summary"]
    assert summary["status"] == "failed" and summary["reason"].startswith("NonFiniteLossError: the loss became")
    assert logged.summary["exit_code"] == 1


@pytest.mark.slow
def test_ctrl_c_is_logged_as_an_interruption(tracked: Overrides, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    longer = tracked("wandb", "plots=false", "schedule.stages.0.epochs=2000")
    command = [sys.executable, str(REPOSITORY / "run.py"), *longer]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    record = folder / "tracker.json"
    await_that(lambda: record.exists() and json.loads(record.read_text())["wandb"]["id"], process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it, to all processes of the command
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, output
    (logged,) = offline_runs(folder)
    steps, written = [row["_step"] for row in logged.epochs], [row["epoch"] for row in rows(folder)]
    # It may come between an epoch's row and its log entry, which the next start then writes.
    assert steps in (written, written[:-1])
    assert logged.summary["summary"]["status"] == "interrupted"
    assert output.splitlines()[-1] == "stopped." and "Traceback" not in output

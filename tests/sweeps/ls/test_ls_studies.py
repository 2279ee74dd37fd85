"""The list of studies: their status and progress."""

import json
import os
import shutil
import time
from pathlib import Path

import optuna
import pytest
import search_runs
from filelock import FileLock
from listed_entries import listed
from loop_runs import Call, open_study, sweep

from sweeps.ls import command
from sweeps.storage.connect import open_storage

SPACE = {"x": [1, 2, 3]}
DAY_S = 24 * 3600


def fails(call: Call) -> float:
    raise ArithmeticError("no")


def test_studies_that_have_ended_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_storage.cache_clear()
    sweep(tmp_path / "finished", SPACE, lambda call: float(call.values["x"]), sampler="grid")
    sweep(tmp_path / "failed", SPACE, fails, sampler="grid")
    found = listed(tmp_path, capsys)
    done, failed = found["finished"], found["failed"]
    assert (done["status"], done["num_done"], done["num_total"]) == ("finished", 3, 3)
    assert (done["values"], done["objectives"], done["kind"]) == ([1.0], ["score"], "study")
    assert (failed["status"], failed["num_done"], failed["values"]) == ("failed", 3, None)
    # Its folder holds the study itself, and the runs of its trials if there are any.
    assert list(listed(tmp_path / "finished", capsys)) == ["finished"]


@pytest.mark.slow
def test_a_study_is_running_as_long_as_its_controller_lives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sweeps" / "mine"
    folder.mkdir(parents=True)
    (folder / "hold").touch()
    process = search_runs.start(folder, "sweep.num_trials=4")
    search_runs.await_begun(folder, 2, process)
    running = listed(tmp_path, capsys)["mine"]
    assert (running["status"], running["num_done"], running["num_total"]) == ("running", 0, 4)
    process.kill()
    search_runs.finish(process)
    assert listed(tmp_path, capsys)["mine"]["status"] == "stopped"
    os.utime(folder / "study.journal", (time.time() - 2 * DAY_S,) * 2)
    assert listed(tmp_path, capsys)["mine"]["status"] == "stale"


def test_a_study_is_running_though_a_later_command_asked_for_fewer_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_storage.cache_clear()
    space = {"x": {"low": 0.0, "high": 1.0}}
    sweep(tmp_path / "s", space, lambda call: call.values["x"], num_trials=1)
    study = open_study(tmp_path / "s", space, num_trials=2)
    trial = study.claim()
    assert trial is not None
    sweep(tmp_path / "s", space, lambda call: call.values["x"], num_trials=1)
    entry = listed(tmp_path, capsys)["s"]
    assert (entry["status"], entry["num_done"], entry["num_total"]) == ("running", 1, 1)
    study.give_back(trial)
    study.close()
    assert listed(tmp_path, capsys)["s"]["status"] == "finished"


def test_a_higher_total_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_storage.cache_clear()
    sweep(tmp_path / "s", {"x": {"low": 0.0, "high": 1.0}}, lambda call: call.values["x"], num_trials=2)
    study = open_study(tmp_path / "s", {"x": {"low": 0.0, "high": 1.0}}, num_trials=5)
    study.close()
    assert listed(tmp_path, capsys)["s"]["num_total"] == 5


def test_the_shown_total_is_never_below_the_existing_trials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_storage.cache_clear()
    space = {"x": {"low": 0.0, "high": 1.0}}
    sweep(tmp_path / "s", space, lambda call: call.values["x"], num_trials=3)
    sweep(tmp_path / "s", space, lambda call: call.values["x"], num_trials=1)
    entry = listed(tmp_path, capsys)["s"]
    assert (entry["status"], entry["num_done"], entry["num_total"]) == ("finished", 3, 3)


@pytest.mark.parametrize(("num_trials", "running", "status"), [(3, 0, "stopped"), (2, 1, "finished")])
def test_a_study_in_a_database_is_listed_from_its_sweep_json(
    num_trials: int, running: int, status: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s").mkdir()
    summary = {
        "objectives": ["score"],
        "num_trials": num_trials,
        "counts": {"complete": 1, "pruned": 1, "fail": 0, "running": running, "waiting": 0},
        "best": [{"values": [0.5]}],
    }
    (tmp_path / "s" / "sweep.json").write_text(json.dumps(summary))
    entry = listed(tmp_path, capsys)["s"]
    assert (entry["status"], entry["num_done"]) == (status, 2)
    assert (entry["num_total"], entry["values"]) == (num_trials, [0.5])
    for run in ("1", "1/seed-0"):
        (tmp_path / "s" / run).mkdir()
        with FileLock(tmp_path / "s" / run / "run.lock"):
            assert listed(tmp_path, capsys)["s"]["status"] == "running"


def test_a_study_that_no_sweep_made_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage = open_storage(f"journal://{tmp_path / 's' / 'study.journal'}", 5)
    study = optuna.create_study(study_name="s", storage=storage)
    study.tell(study.ask(), 1.0)
    entry = listed(tmp_path, capsys)["s"]
    assert (entry["status"], entry["num_done"], entry["num_total"], entry["values"]) == ("stopped", 1, None, [1.0])


def test_a_study_whose_journal_was_emptied_is_shown_by_its_summary(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {"complete": 2, "pruned": 0, "fail": 1, "running": 0, "waiting": 0}
    best = [{"values": [0.5]}]
    summary = {"num_trials": 3, "counts": counts, "best": best, "objectives": ["score"]}
    (finished / "sweep.json").write_text(json.dumps(summary))
    (finished / "study.journal").write_bytes(b"")
    assert command.main([str(finished.parent)]) == 0
    assert "3 of 3 trials  best 0.5000" in capsys.readouterr().out


def test_a_copy_of_a_study_that_runs_is_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "original").mkdir()
    study = open_study(tmp_path / "original", {"x": {"low": 0.0, "high": 1.0}}, num_trials=2)
    study.claim()
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    found = listed(tmp_path, capsys)
    study.close()
    assert (found["original"]["status"], found["copy"]["status"]) == ("running", "stopped")

"""trial.json of each run says how its trial ended, also after kills and full disks."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from loop_runs import Call, sweep
from optuna import TrialPruned

from spectral.files import part_name
from sweeps import files
from sweeps.loop import end_trial, trial_json
from sweeps.storage.connect import open_storage

GRID = {"x": [1, 2, 3]}
GONE = f".{2**22 + 1}."  # no such process
HELD = {"search_overrides": ["score_test=false"]}


def outcome(call: Call) -> float:
    if call.values["x"] == 2:
        raise ArithmeticError("two")
    if call.values["x"] == 3:
        raise TrialPruned("at step 1")
    return 1.0


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / str(number) / "trial.json").read_text()) for number in range(3)]


def run(folder: Path, **options: Any) -> None:
    open_storage.cache_clear()
    sweep(folder, GRID, outcome, num_slots=1, sampler="grid", **options)


def nothing(*_: Any) -> None:
    """A write that a kill prevents."""


@pytest.mark.parametrize("options", [{}, HELD])
def test_the_next_command_writes_what_a_kill_has_left_out(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "undisturbed", **options)
    with monkeypatch.context() as killed:
        killed.setattr(end_trial, "write_trial_json", nothing)
        killed.setattr("sweeps.loop.loop.reconcile", nothing)
        run(tmp_path / "killed", **options)
    assert [record["state"] for record in records(tmp_path / "killed")] == ["running"] * 3
    run(tmp_path / "killed", **options)
    assert records(tmp_path / "killed") == records(tmp_path / "undisturbed")
    assert [record["state"] for record in records(tmp_path / "killed")] == ["complete", "fail", "pruned"]


def test_the_same_command_repeats_a_write_that_found_no_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, failed = files.write_json, []

    def full(path: Path, content: Any) -> None:
        if content.get("state") == "fail" and not failed:
            failed.append(path)
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(trial_json, "write_json", full)
    run(tmp_path)
    assert failed and "could not be written" in caplog.text
    assert [record["state"] for record in records(tmp_path)] == ["complete", "fail", "pruned"]


def test_a_record_that_is_missing_or_corrupt_is_written_again(tmp_path: Path) -> None:
    run(tmp_path)
    before = records(tmp_path)
    (tmp_path / "0" / "trial.json").unlink()
    (tmp_path / "1" / "trial.json").write_text('{"state":')
    run(tmp_path)
    assert records(tmp_path) == before


def test_a_record_that_is_right_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path, **HELD)
    before = [(tmp_path / str(number) / "trial.json").stat().st_ino for number in range(3)]
    run(tmp_path, **HELD)
    assert [(tmp_path / str(number) / "trial.json").stat().st_ino for number in range(3)] == before


def test_the_record_of_a_reused_result_is_that_of_the_first_trial(tmp_path: Path) -> None:
    options: dict[str, Any] = {"num_slots": 1, "num_trials": 2, "sampler": "random"}
    for _ in range(2):
        open_storage.cache_clear()
        assert "reused_from" in sweep(tmp_path, {"x": [1]}, outcome, **options).trials[1].user_attrs
        assert json.loads((tmp_path / "0" / "trial.json").read_text())["number"] == 0


def test_each_seed_of_a_failed_trial_says_so(tmp_path: Path) -> None:
    def fails(call: Call) -> float:
        if call.values["seed"] == 11:
            raise ArithmeticError("eleven")
        return 1.0

    sweep(tmp_path, {"x": [1]}, fails, num_slots=3, sampler="grid", seeds=3)
    states = [json.loads((tmp_path / "0" / f"seed-{k}" / "trial.json").read_text())["state"] for k in range(3)]
    assert states == ["fail"] * 3


def test_what_killed_controllers_were_writing_is_removed(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "1" / "trial.json").unlink()
    being_written, alive = part_name(tmp_path / "sweep.json"), f".{os.getpid()}."
    left = [being_written.replace(alive, GONE), f"1/{part_name(Path('trial.json')).replace(alive, GONE)}"]
    for name in (being_written, *left):
        (tmp_path / name).touch()
    run(tmp_path)
    assert [path.name for path in tmp_path.rglob(".*.part")] == [being_written]

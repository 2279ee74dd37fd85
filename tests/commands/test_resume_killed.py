"""Runs in processes of their own that are killed or interrupted, and what is said of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import command
from small_runs import OVERRIDES, REPOSITORY, Outcome, Overrides, StoppedError, arrays, outcome, rows, run, stop_after
from waiting import await_that

from spectral.errors import UserError

SCRIPT = REPOSITORY / "run.py"
LONGER = ("schedule.stages.0.epochs=20", "schedule.stages.0.steps=4")


def start(overrides: list[str]) -> "subprocess.Popen[str]":
    words = [sys.executable, str(SCRIPT), *overrides]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        words, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def await_rows(process: "subprocess.Popen[str]", folder: Path, num: int) -> None:
    """Wait until metrics.jsonl has that many rows."""
    table = folder / "metrics.jsonl"
    await_that(lambda: table.exists() and table.read_text().count("\n") >= num, process)


@pytest.fixture(scope="module")
def whole(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("whole")
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}", *OVERRIDES, *LONGER])
    return outcome(folder)


def test_a_killed_run_resumes_and_a_second_process_is_refused(small: Overrides, tmp_path: Path, whole: Outcome) -> None:
    folder = tmp_path / "run"
    process = start(small(*LONGER))
    await_rows(process, folder, 1)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(UserError, match="is in use: another process is running this experiment"):
        run(small(*LONGER))
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "result.json").exists()
    again = command(SCRIPT, *small(*LONGER), cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "Resuming after epoch" in again.stderr
    assert "Confusion matrix" in again.stdout and f"run folder: {folder}" in again.stdout
    assert outcome(folder) == whole


@pytest.mark.slow
def test_ctrl_c_ends_in_one_sentence_and_the_run_resumes(small: Overrides, tmp_path: Path, whole: Outcome) -> None:
    folder = tmp_path / "run"
    process = start(small(*LONGER))
    await_rows(process, folder, 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in out + err and err.splitlines()[-1] == "stopped."
    assert f"give the same command with run_dir={folder}" in out
    assert not (folder / "result.json").exists()
    run(small(*LONGER))
    assert outcome(folder) == whole


def test_a_run_does_not_resume_with_changed_data(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    data = ["data=arrays", f"data.path={path}", "data.num_workers=1", f"cache_dir={tmp_path}"]
    overrides = [*data, *OVERRIDES, f"run_dir={tmp_path / 'run'}"]
    np.savez(path, **arrays())
    with pytest.raises(StoppedError):
        run(overrides, stop_after(1))
    np.savez(path, **arrays(num=124))
    with pytest.raises(UserError, match=r"run_dir=.*run began on other spectra, or on another split"):
        run(overrides)
    assert len(rows(tmp_path / "run")) == 1
    np.savez(path, **arrays())
    # The split of the 120 spectra has not changed.
    run(overrides)
    run([override for override in overrides if "run_dir" not in override] + [f"run_dir={tmp_path / 'whole'}"])
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_the_message_after_ctrl_c_quotes_the_folder_for_the_shell(
    pack_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[str] = []
    monkeypatch.setattr("rich.console.Console.print", lambda _, text="", **__: printed.append(str(text)))

    def stop(epoch: int, row: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "a b"
    with pytest.raises(KeyboardInterrupt):
        run(["data=packed", f"data.folder={pack_folder}", *OVERRIDES, f"run_dir={folder}"], stop)
    assert printed[-1] == f"To resume, give the same command with 'run_dir={folder}'"

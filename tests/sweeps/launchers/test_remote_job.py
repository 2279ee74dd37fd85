"""Jobs that are sent to processes started by others, in any working directory."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.launchers import remote_job, worker_main
from sweeps.launchers.reply import Reply


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """The working directory of the other process."""
    before, folder = Path.cwd(), tmp_path / "elsewhere"
    folder.mkdir()
    yield folder
    os.chdir(before)


def test_a_job_starts_in_the_folder_of_the_sweep(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise files written under a relative path would be lost."""
    begun: list[Path] = []

    def run(*_: Any) -> Reply:
        begun.append(Path.cwd())
        return Reply()

    monkeypatch.setattr(worker_main, "_unpack_once", lambda packed: packed)
    monkeypatch.setattr(worker_main, "_run", run)
    os.chdir(tmp_path)
    job = remote_job.RemoteJob(b"", [], 0)
    for _ in range(2):
        os.chdir(elsewhere)
        assert Reply.unpack(job()).error is None
    assert begun == [tmp_path, tmp_path]


def test_a_node_without_that_folder_is_reported(tmp_path: Path, elsewhere: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    job = remote_job.RemoteJob(b"", [], 0)
    os.chdir(elsewhere)
    gone.rmdir()
    message = str(Reply.unpack(job()).error)
    assert message.startswith(f"{gone}, where the sweep was started, cannot be entered on ")
    assert message.endswith("(No such file or directory): it must be the same folder on all nodes.")


def test_a_job_measures_how_long_it_ran_over_all_its_starts(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock counts the jobs and the waiting in between; each process has a clock of its own."""
    now_s = 100.0

    def run(*_: Any) -> Reply:
        nonlocal now_s
        now_s += 7.0
        return Reply()

    clock = SimpleNamespace(monotonic=lambda: now_s)
    monkeypatch.setattr(remote_job, "time", clock)
    monkeypatch.setattr(worker_main, "time", clock)
    monkeypatch.setattr(worker_main, "_unpack_once", lambda packed: packed)
    monkeypatch.setattr(worker_main, "_run", run)
    monkeypatch.setattr(remote_job, "_outlive_scontrol", lambda: None)
    monkeypatch.setitem(sys.modules, "submitit", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "submitit.helpers", SimpleNamespace(DelayedSubmission=lambda job: job))
    os.chdir(tmp_path)
    job = remote_job.RemoteJob(b"", [], 0)
    assert job.checkpoint().ran_s == 0.0  # the signal came before the job began
    assert Reply.unpack(job()).ran_s == 7.0
    again = job.checkpoint()
    now_s = 5.0
    assert again.checkpoint().ran_s == 7.0
    assert Reply.unpack(again()).ran_s == 14.0

"""Jobs that are sent to processes started by others, in any working directory."""

import os
from collections.abc import Iterator
from pathlib import Path
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

"""Jobs that are sent to processes of another's making, which may stand in any folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sweeps.launchers import remote_job, worker_main
from sweeps.launchers.reply import Reply


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """The folder in which the other process stands."""
    before, folder = Path.cwd(), tmp_path / "elsewhere"
    folder.mkdir()
    yield folder
    os.chdir(before)


def test_a_job_begins_where_the_sweep_was_started(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what it writes under a relative path would be lost there."""
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


def test_a_node_without_that_folder_is_told_of(tmp_path: Path, elsewhere: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    job = remote_job.RemoteJob(b"", [], 0)
    os.chdir(elsewhere)
    gone.rmdir()
    told = str(Reply.unpack(job()).error)
    assert told.startswith(f"{gone}, where the sweep was started, cannot be entered on ")
    assert told.endswith("(No such file or directory): it must be the same folder on all nodes.")

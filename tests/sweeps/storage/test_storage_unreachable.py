"""The storage is locked or missing for 20 s while real sweeps run, and controllers are killed again and again."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from search_runs import check_complete, finish, start, trials
from waiting import await_that

pytestmark = pytest.mark.slow

ONE_SLOT = "hydra.launcher.jobs_per_device=1"
GONE_S = 20.0


@contextmanager
def journal_locked(file: Path) -> Iterator[None]:
    with FileLock(f"{file}.lock"):
        yield


@contextmanager
def database_locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, timeout=60)) as connection:
        connection.execute("begin exclusive")
        yield


@contextmanager
def folder_gone(file: Path) -> Iterator[None]:
    away = file.parent.with_name("away")
    file.parent.rename(away)
    yield
    away.rename(file.parent)


@pytest.mark.parametrize(
    ("scheme", "fault"),
    [("journal://", journal_locked), ("journal://", folder_gone), ("sqlite:///", database_locked)],
)
def test_a_storage_that_is_unreachable_for_a_while_loses_no_trial(scheme: str, fault, tmp_path: Path) -> None:
    folder, file = tmp_path / "study", tmp_path / "storage" / "study"
    file.parent.mkdir()
    url, num_trials = f"{scheme}{file}", 8
    options = (
        f"sweep.num_trials={num_trials}",
        "epoch_s=0.5",
        f"sweep.storage={url}",
        ONE_SLOT,
    )
    both = [start(folder, *options) for _ in range(2)]
    ended = folder / "ended"
    await_that(lambda: ended.exists() and len(ended.read_text().split()) >= 2, both[0])
    with fault(file):
        time.sleep(GONE_S)
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
        assert "The storage does not answer: waiting 120 s" in output
    check_complete(folder, num_trials, url)


def test_a_sweep_survives_controllers_killed_again_and_again(tmp_path: Path) -> None:
    folder, num_trials = tmp_path / "study", 24
    options = (f"sweep.num_trials={num_trials}", "epoch_s=0.2", ONE_SLOT)
    both = [start(folder, *options) for _ in range(2)]
    ended = folder / "ended"
    for num_ended in range(2, 14, 2):
        # While the other is at work: at any moment of any job.
        await_that(lambda num=num_ended: ended.exists() and len(ended.read_text().split()) >= num, both[1])
        os.kill(both[0].pid, signal.SIGKILL)
        both[0].communicate()
        both = [both[1], start(folder, *options)]
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
    found = trials(folder)
    assert [trial.state.name for trial in found] == ["COMPLETE"] * num_trials
    assert len({trial.user_attrs["run_dir"] for trial in found}) == num_trials
    for trial in found:
        assert trial.values == [trial.params["x"] * 3]
        assert (Path(trial.user_attrs["run_dir"]) / "epochs").read_text().split() == ["1", "2", "3"]

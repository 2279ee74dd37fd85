"""What surrounds the task function of a job: its lock, and who hears Ctrl-C."""

import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock
from waiting import await_that

from sweeps.job import lease
from sweeps.job.lease import LeasedTask
from sweeps.job.trial_link import TrialLink


@pytest.fixture(autouse=True)
def final_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this process a job in `tmp_path` without a link, as final runs have none."""
    monkeypatch.setattr(TrialLink, "of_job", lambda: None)
    runtime = SimpleNamespace(runtime=SimpleNamespace(output_dir=str(tmp_path)))
    monkeypatch.setattr("sweeps.job.lease.HydraConfig", SimpleNamespace(get=lambda: runtime))


@pytest.mark.parametrize(
    ("controller", "group", "is_ignored"),
    [(os.getppid(), os.getpgrp(), True), (os.getppid(), -1, False), (os.getpid(), os.getpgrp(), False)],
    ids=["of the terminal", "in its own group", "of the controller"],
)
def test_a_job_in_a_process_of_the_terminal_leaves_ctrl_c_to_the_controller(
    controller: int, group: int, is_ignored: bool
) -> None:
    """The workers of joblib's launcher, for which this process stands in, are in the group of their controller."""
    before = signal.getsignal(signal.SIGINT)
    try:
        handler = LeasedTask(lambda _config: signal.getsignal(signal.SIGINT), controller, group)({})
    finally:
        signal.signal(signal.SIGINT, before)
    assert handler == (signal.SIG_IGN if is_ignored else before)


def test_a_final_run_waits_for_the_one_that_a_killed_controller_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without waiting it would fail, since that one still has the folder of the run."""
    monkeypatch.setattr(lease, "LOOK_S", 0.05)
    met: list[str] = []
    left_behind = FileLock(tmp_path / lease.LOCK)
    left_behind.acquire()
    job = threading.Thread(target=LeasedTask(lambda _config: met.append("run")), args=({},), daemon=True)
    job.start()
    await_that(lambda: bool(met) or "An earlier job of this trial still runs" in caplog.text)
    assert met == []
    left_behind.release()
    job.join()
    assert met == ["run"]

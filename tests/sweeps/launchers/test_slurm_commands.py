"""SLURM's commands that do not answer are given up; here they are scripts on PATH that sleep."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.launchers.contract import StartFailed
from sweeps.launchers.remote_job import RemoteJob
from sweeps.launchers.scancel import Scancel

Silent = Callable[[str], Path]


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Silent:
    """Makes a command that never ends, and writes its arguments to the file that is returned."""

    def silent(name: str) -> Path:
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/{name}.calls\nexec sleep 3600\n')
        (tmp_path / name).chmod(stat.S_IRWXU)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return tmp_path / f"{name}.calls"

    return silent


def test_a_silent_scancel_is_given_up_and_not_asked_again_at_once(
    silent: Silent, caplog: pytest.LogCaptureFixture
) -> None:
    """With 64 slots each call would else wait for its whole time."""
    silent("scancel")
    scancel = Scancel(0.3)
    scancel("17")
    assert "jobs may still run, squeue --me lists them" in caplog.text
    scancel._silent_until = float("inf")
    scancel("18")
    scancel._silent_until = 0.0
    scancel("19")
    assert caplog.text.count("scancel does not answer") == 2


def test_scancel_is_given_a_job_or_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scancel").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexit 1\n')
    (tmp_path / "scancel").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    scancel = Scancel(60)
    scancel("17")
    scancel("--name=spectral-abc")
    assert (tmp_path / "calls").read_text().split() == ["17", "--name=spectral-abc"]


def test_a_silent_squeue_ends_no_job(silent: Silent, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("submitit")
    from sweeps.launchers.squeue import QueueWatcher

    silent("squeue")
    watcher = QueueWatcher(60, timeout_s=0.3)
    assert not watcher.is_done("17", mode="force")
    assert "squeue does not answer" in caplog.text


def test_a_silent_sbatch_is_a_job_that_could_not_start(silent: Silent, tmp_path: Path) -> None:
    submitit = pytest.importorskip("submitit")
    from sweeps.launchers.slurm import SlurmWorker, _limit_sbatch

    for name in ("sbatch", "srun"):  # submitit looks for srun to see whether there is a SLURM
        silent(name)
    executor = submitit.AutoExecutor(folder=tmp_path / "jobs", cluster="slurm")
    _limit_sbatch(executor, 0.3)
    worker = SlurmWorker(executor.submit, lambda _job: None, b"", False, 1.0)
    with pytest.raises(StartFailed, match=r"sbatch did not answer within hydra\.launcher\.command_timeout_s"):
        worker._submitted(RemoteJob(b"", [], 0))

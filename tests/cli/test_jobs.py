"""Jobs of a command on a Hydra launcher: lost ones run again, errors are raised."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from small_runs import REPOSITORY

from spectral.cli import jobs
from spectral.errors import UserError
from sweeps.launchers.contract import WorkerLost

JOBS = [["shard=0", "shards=2"], ["shard=1", "shards=2"]]


class Launcher:
    """Ends each job at once, as a script says: an exception for its future, or one that the task raises."""

    def __init__(self, *outcomes: BaseException | JobReturn) -> None:
        self.outcomes, self.submitted, self.is_shut = list(outcomes), [], False

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        self.submitted.append((job_num, list(overrides)))
        future: Future[JobReturn] = Future()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
        return future

    def shutdown(self, wait: bool) -> None:
        self.is_shut = True


def ended(error: BaseException | None = None) -> JobReturn:
    status = JobStatus.COMPLETED if error is None else JobStatus.FAILED
    return JobReturn(status=status, _return_value=error)


Run = Callable[..., Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    def run_on(launcher: Any) -> None:
        given = SimpleNamespace(overrides=SimpleNamespace(task=["out=a.csv"]))
        monkeypatch.setattr(jobs, "_launcher", lambda *_: launcher)
        monkeypatch.setattr(jobs, "PAUSE_S", 0.0)
        monkeypatch.setattr(jobs.HydraConfig, "get", staticmethod(lambda: given))
        jobs.run_jobs(lambda _: None, JOBS, tmp_path, on_tick=lambda: None)

    return run_on


def test_each_job_has_the_overrides_of_the_command_and_its_own(run: Run) -> None:
    launcher = Launcher(ended(), ended())
    run(launcher)
    assert launcher.submitted == [(n, ["out=a.csv", f"shard={n}", "shards=2"]) for n in (0, 1)]
    assert launcher.is_shut


def test_a_lost_job_runs_again_and_a_finished_one_does_not(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    launcher = Launcher(ended(), WorkerLost("killed by SIGKILL"), WorkerLost("node down"), ended())
    run(launcher)
    assert [number for number, _ in launcher.submitted] == [0, 1, 1, 1]
    assert "shard=1 is lost and runs again: killed by SIGKILL." in caplog.text


def test_a_job_that_is_always_lost_ends_the_command(run: Run) -> None:
    launcher = Launcher(ended(), *[WorkerLost("out of memory")] * 4)
    with pytest.raises(UserError, match=r"shard=1 was lost 4 times, the last time because: out of memory\."):
        run(launcher)
    assert launcher.is_shut


@pytest.mark.parametrize("outcome", [ended(UserError("no such run")), UserError("no such run")])
def test_what_a_job_raises_is_raised_here(run: Run, outcome: Any) -> None:
    launcher = Launcher(outcome, ended())
    with pytest.raises(UserError, match="no such run"):
        run(launcher)
    assert launcher.is_shut


def test_a_launcher_of_batches_gets_all_jobs_at_once(run: Run) -> None:
    class Batches:
        def launch(self, overrides: Any, initial_job_idx: int) -> list[JobReturn]:
            assert len(overrides) == 2 and initial_job_idx == 0
            return [ended(), ended(UserError("it failed"))]

    with pytest.raises(UserError, match="it failed"):
        run(Batches())


@pytest.mark.parametrize("path", ["/a/b", "/it's a/{b},[c]=d", "/x y$z"])
def test_a_folder_of_any_name_can_be_an_override(path: str) -> None:
    (parsed,) = OverridesParser.create().parse_overrides([f"hydra.sweep.dir={jobs.quoted(path)}"])
    assert parsed.value() == path


@pytest.mark.slow  # three processes, each of which imports torch
def test_shards_run_as_jobs_of_the_local_launcher(survey_file: Path, tmp_path: Path) -> None:
    from small_runs import OVERRIDES
    from small_runs import run as train

    data = "data=arrays", f"data.path={survey_file}", f"cache_dir={tmp_path / 'cache'}"
    train([*data, f"run_dir={tmp_path / 'run'}", *OVERRIDES])
    for name, more in (("one", ()), ("cat", ("shards=3", "hydra.launcher.jobs_per_device=2"))):
        out = f"out={tmp_path / name}.csv", "format=probabilities", "rows_per_part=16", "device=cpu", "num_threads=1"
        command = [sys.executable, "-m", "spectral.predict", f"run={tmp_path / 'run'}", *data, *out, *more]
        subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin"}, check=True)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "cat.csv"), pd.read_csv(tmp_path / "one.csv"))
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} <= {".cat.csv.lock", ".one.csv.lock"}
    assert not (tmp_path / "multirun").exists()

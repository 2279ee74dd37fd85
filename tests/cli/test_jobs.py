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
from commands import command
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from small_runs import OVERRIDES, REPOSITORY
from small_runs import run as train
from toy_reader import files_of

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
def test_what_a_job_raises_is_raised_here(run: Run, outcome: Any, capsys: pytest.CaptureFixture[str]) -> None:
    launcher = Launcher(outcome, ended())
    with pytest.raises(UserError, match="no such run"):
        run(launcher)
    assert launcher.is_shut and capsys.readouterr().err == ""  # without Hydra's line above the sentence


def test_hydras_line_stands_above_a_bug(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        run(Launcher(ended(ZeroDivisionError()), ended()))
    assert "Error executing job with overrides" in capsys.readouterr().err


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


def test_what_a_launcher_refuses_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    given = ("data=simulated", "data.num_spectra=8", "shards=2", "hydra.launcher.jobs_per_device=0", "out=pack")
    ended = command(REPOSITORY / "spectral" / "pack.py", *given, cwd=tmp_path)
    sentence = "error: hydra.launcher.jobs_per_device=0 is out of range: allowed is at least 1.\n"
    assert (ended.returncode, ended.stderr) == (2, sentence)


LAUNCHERS = {
    "local": ("hydra.launcher.jobs_per_device=2",),
    "slurm": ("hydra.launcher.executor=local", "hydra.launcher.max_parallel=2"),  # of submitit, without a cluster
    "ray": ("hydra.launcher.max_parallel=2",),
}


@pytest.mark.slow  # processes that import torch
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_shards_run_as_jobs_of_every_launcher(launcher: str, survey_file: Path, tmp_path: Path) -> None:
    if launcher != "local":
        pytest.importorskip({"slurm": "submitit"}.get(launcher, launcher))
    shards = ("shards=3", f"hydra/launcher={launcher}", *LAUNCHERS[launcher])
    data = "data=arrays", f"data.path={survey_file}", f"cache_dir={tmp_path / 'cache'}"
    train([*data, f"run_dir={tmp_path / 'run'}", *OVERRIDES])
    of_run = f"run={tmp_path / 'run'}", "format=probabilities", "rows_per_part=16", "device=cpu", "num_threads=1"
    for name, more in (("one", ()), ("cat", shards)):
        call("predict", tmp_path, *data, *of_run, f"out={tmp_path / name}.csv", *more)
        call("pack", tmp_path, *data, "data.rows_per_part=16", f"out={tmp_path / name}", *more)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "cat.csv"), pd.read_csv(tmp_path / "one.csv"))
    assert files_of(tmp_path / "cat") == files_of(tmp_path / "one")
    assert {path.name for path in tmp_path.glob(".*") if not path.name.endswith(".lock")} == set()
    assert not (tmp_path / "multirun").exists()


def call(name: str, cwd: Path, *overrides: str) -> None:
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin"}
    subprocess.run([sys.executable, "-m", f"spectral.{name}", *overrides], cwd=cwd, env=environment, check=True)

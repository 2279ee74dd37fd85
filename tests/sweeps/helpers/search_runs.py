"""Real sweeps in processes of their own, and the studies that they leave."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import optuna
from commands import command, without_product_configs
from optuna.trial import FrozenTrial
from waiting import PATIENCE_S, await_that

from sweeps.storage.connect import close_storage, open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import RUN_DIR

HERE = Path(__file__).parents[1]
REPOSITORY = HERE.parents[1]
APP = HERE / "apps" / "search_app.py"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}

Process = subprocess.Popen[str]
LOCAL = ("devices=cpu", "jobs_per_device=2", "threads_per_job=1", "grace_s=2")


def start(
    folder: Path | None,
    *overrides: str,
    script: Path = APP,
    local: bool = True,
    variables: Mapping[str, str] | None = None,
    cwd: Path = REPOSITORY,
) -> Process:
    """Start the command of a sweep; without a folder it chooses one in `cwd` itself.

    Args:
        variables: of its environment.
    """
    words = [sys.executable, str(script), *arguments(folder, *overrides, local=local)]
    environment = os.environ | ENVIRONMENT | (variables or {})
    return subprocess.Popen(
        words,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def arguments(folder: Path | None, *overrides: str, local: bool = True) -> list[str]:
    """What follows the script in the command of a sweep."""
    where = [f"run_dir={folder}"] if folder else []
    options = [f"hydra.launcher.{option}" for option in LOCAL] if local else []
    # A report takes seconds: the tests of reports ask for it.
    return ["-m", *where, "sweep.report=false", *options, *overrides]


def start_elsewhere(
    folder: Path, machine: str, *overrides: str, lost_after_s: float, clock_off_s: float = 0.0
) -> Process:
    """Start the command of a sweep, with one slot, on a machine of that name."""
    variables = {"MACHINE": machine, "CLOCK_OFF_S": str(clock_off_s)}
    options = ("hydra.launcher.jobs_per_device=1", f"sweep.lost_after_s={lost_after_s}")
    script = HERE / "apps" / "elsewhere_app.py"
    return start(folder, *options, *overrides, script=script, variables=variables)


def finish(process: Process) -> str:
    """Wait for the end of a process; returns its output. A process that hangs is ended."""
    try:
        return process.communicate(timeout=PATIENCE_S)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(process.communicate()[0]) from None


def run(folder: Path | None, *overrides: str, **options: Any) -> str:
    """Run a sweep that must succeed, its controller within this process; returns its output."""
    code, output = end_of(folder, *overrides, **options)
    assert code == 0, output
    return output


def end_of(
    folder: Path | None, *overrides: str, script: Path = APP, local: bool = True, cwd: Path = REPOSITORY
) -> tuple[int, str]:
    """Run a sweep as `start` does, its controller within this process; returns its exit code and its output."""
    open_storage.cache_clear()
    hidden = without_product_configs() if script.parent == APP.parent else contextlib.nullcontext()
    with mock.patch.dict(os.environ, ENVIRONMENT), hidden:
        ended = command(script, *arguments(folder, *overrides, local=local), cwd=cwd, joined=True)
    open_storage.cache_clear()
    return ended.returncode, ended.stdout


def release(folder: Path) -> None:
    """Let the jobs end that `hold` keeps in their last epoch."""
    (folder / "hold").unlink()


def trials(folder: Path, url: str | None = None) -> list[FrozenTrial]:
    """The trials of the only study in a folder's journal, or in another storage."""
    open_storage.cache_clear()
    storage = open_storage(url or journal_url(folder), 10)
    (only,) = storage.get_all_studies()
    try:
        return optuna.load_study(study_name=only.study_name, storage=storage).get_trials()
    finally:
        close_storage(storage)


def states(folder: Path) -> list[str]:
    return [trial.state.name for trial in trials(folder)]


def starts(folder: Path) -> list[list[str]]:
    """For each trial that began: one line per start of its job, with the worker's process number."""
    return [path.read_text().splitlines() for path in sorted(folder.glob("*/starts"))]


def worker_pids(folder: Path) -> list[int]:
    return [int(lines[-1].split()[0]) for lines in starts(folder)]


def read_line(process: Process) -> str:
    assert process.stdout
    return process.stdout.readline()


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill_controller(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def pid_that_holds(lock: Path) -> int:
    """The process that has a file open."""
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(link.resolve() == lock.resolve() for link in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:
            continue
    raise AssertionError(f"nobody holds {lock}")


def await_begun(folder: Path, num: int, process: Process) -> None:
    """Wait until this many jobs wait in their last epoch, or have ended."""
    await_that(lambda: len(list(folder.glob("*/waits"))) >= num, process)


def check_complete(folder: Path, num_trials: int, url: str | None = None) -> None:
    """Check that exactly this many trials have finished: none lost, none counted twice, no folder used for two."""
    found = trials(folder, url)
    assert [trial.state.name for trial in found] == ["COMPLETE"] * num_trials
    folders = [trial.user_attrs[RUN_DIR] for trial in found]
    assert len(set(folders)) == num_trials
    ended = (folder / "ended").read_text().split()
    assert sorted(ended) == sorted(Path(path).name for path in folders)
    for trial in found:
        assert trial.values == [trial.params["x"] * 3]
        # Every epoch was run once: a job that was begun again continued from its checkpoint.
        assert (Path(trial.user_attrs[RUN_DIR]) / "epochs").read_text().split() == ["1", "2", "3"]
        assert sorted(trial.intermediate_values) == [1, 2, 3]

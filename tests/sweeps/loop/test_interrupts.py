"""Sweeps that a user or a system ends: nothing is lost, and the same command resumes."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from search_runs import (
    HERE,
    Process,
    await_begun,
    check_complete,
    finish,
    is_gone,
    read_line,
    release,
    run,
    start,
    starts,
    states,
    worker_pids,
)
from waiting import await_that

from spectral.cli.run import EXIT_INTERRUPTED
from sweeps.loop.interrupts import Interrupts


def test_ctrl_c_lets_the_running_jobs_finish(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=5")
    await_begun(folder, 2, process)
    os.killpg(process.pid, signal.SIGINT)
    await_that(lambda: "Ctrl-C" in read_line(process))
    release(folder)
    output = finish(process)
    assert process.returncode != 0
    assert states(folder) == ["COMPLETE", "COMPLETE"], output
    assert "give the same command again" in output
    run(folder, "sweep.num_trials=5")
    check_complete(folder, 5)


def begin_command(folder: Path, *overrides: str, **variables: str) -> Process:
    """Start a sweep that ends as the commands do."""
    return start(folder, *overrides, script=HERE / "apps" / "command_app.py", variables=variables)


def interrupt(process: Process, *, times: int = 1) -> None:
    os.kill(process.pid, signal.SIGINT)
    await_that(lambda: "Ctrl-C" in read_line(process))
    if times == 2:
        os.kill(process.pid, signal.SIGINT)


def check_final_is_left(folder: Path, process: Process, *overrides: str) -> None:
    """The sweep ends as one that was interrupted, and the same command runs the final runs."""
    output = finish(process)
    assert process.returncode == EXIT_INTERRUPTED, output
    assert output.endswith("To resume, give the same command again.\nstopped.\n")
    assert states(folder) == ["COMPLETE"]
    assert (folder / "0" / "epochs").read_text().split() == ["1", "2"]
    (folder / "hold").unlink(missing_ok=True)
    output = run(folder, *overrides)
    assert "To resume" not in output
    assert (folder / "0" / "epochs").read_text().split() == ["1", "2", "3"]


@pytest.mark.slow
def test_ctrl_c_during_the_last_trial_leaves_out_the_final_runs(folder: Path) -> None:
    overrides = ("sweep.num_trials=1", "sweep.search_overrides=['epochs=2']")
    process = begin_command(folder, *overrides)
    await_that(lambda: bool(starts(folder)), process)
    interrupt(process)
    release(folder)
    check_final_is_left(folder, process, *overrides)


@pytest.mark.slow
def test_ctrl_c_twice_ends_the_final_runs(folder: Path) -> None:
    overrides = ("sweep.num_trials=1", "sweep.search_overrides=['epochs=2','hold=nothing']")
    process = begin_command(folder, *overrides)
    await_that(lambda: [len(lines) for lines in starts(folder)] == [2], process)
    interrupt(process, times=2)
    check_final_is_left(folder, process, *overrides)


@pytest.mark.slow
def test_ctrl_c_after_a_trial_has_failed_leaves_the_others_to_a_later_command(folder: Path) -> None:
    """That no trial has ended well so far says nothing about those that have not run."""
    grid = ("sweep.space={}", "x=1,2,3", "fault=exception", "fault_at=[1]", "hydra.launcher.jobs_per_device=1")
    process = begin_command(folder, *grid)
    await_begun(folder, 1, process)
    interrupt(process, times=2)
    output = finish(process)
    assert process.returncode == EXIT_INTERRUPTED, output
    assert output.endswith("To resume, give the same command again.\nstopped.\n")
    assert states(folder) == ["FAIL", "WAITING"]


@pytest.mark.slow
def test_ctrl_c_ends_a_slow_report_without_a_traceback(tmp_path: Path) -> None:
    folder, begun = tmp_path / "study", tmp_path / "begun"
    process = begin_command(folder, "sweep.num_trials=1", "sweep.report=true", SLOW_REPORT=str(begun))
    await_that(begun.exists, process)
    os.kill(process.pid, signal.SIGINT)
    output = finish(process)
    assert process.returncode == EXIT_INTERRUPTED
    assert output.endswith("stopped.\n") and "Traceback" not in output
    assert states(folder) == ["COMPLETE"] and (folder / "sweep.json").is_file()


@pytest.mark.parametrize("ctrl_c", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["Ctrl-C twice", "SIGTERM"])
def test_a_stopped_sweep_leaves_its_trials_waiting(ctrl_c: bool, folder: Path) -> None:
    process = start(folder, "sweep.num_trials=3")
    await_begun(folder, 2, process)
    workers = worker_pids(folder)
    if ctrl_c:
        os.kill(process.pid, signal.SIGINT)
        await_that(lambda: "Ctrl-C" in read_line(process))
    os.kill(process.pid, signal.SIGINT if ctrl_c else signal.SIGTERM)
    finish(process)
    assert process.returncode != 0
    assert states(folder) == ["WAITING", "WAITING"]
    assert all(map(is_gone, workers))
    release(folder)
    run(folder, "sweep.num_trials=3")
    check_complete(folder, 3)


@pytest.mark.parametrize("has_nohup", [False, True])
def test_a_closed_terminal_stops_the_sweep_unless_nohup_started_it(has_nohup: bool) -> None:
    heard: list[int] = []
    own: Any = signal.SIG_IGN if has_nohup else lambda number, _frame: heard.append(number)
    before = signal.signal(signal.SIGHUP, own)
    interrupts = Interrupts(print)
    try:
        with interrupts.caught():
            signal.raise_signal(signal.SIGHUP)
        assert interrupts.stopping != has_nohup and not heard
        assert signal.getsignal(signal.SIGHUP) == own
    finally:
        signal.signal(signal.SIGHUP, before)

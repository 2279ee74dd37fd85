"""Controllers that die, and several that share a study."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from search_runs import (
    await_begun,
    check_complete,
    finish,
    is_gone,
    kill_controller,
    release,
    run,
    start,
    start_elsewhere,
    states,
    trials,
    worker_pids,
)
from waiting import await_that


def test_workers_end_with_a_killed_controller_and_the_same_command_resumes(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=3")
    await_begun(folder, 2, process)
    workers = worker_pids(folder)
    kill_controller(process)
    await_that(lambda: all(map(is_gone, workers)))
    assert states(folder) == ["RUNNING", "RUNNING"]
    release(folder)
    assert "its controller was lost" in run(folder, "sweep.num_trials=3")
    check_complete(folder, 3)


@pytest.mark.slow
def test_a_sweep_resumes_after_controller_and_workers_are_killed(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=3")
    await_begun(folder, 2, process)
    workers = worker_pids(folder)
    kill_controller(process)
    for pid in workers:
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)
    release(folder)
    run(folder, "sweep.num_trials=3")
    check_complete(folder, 3)


@pytest.mark.slow
def test_two_controllers_share_the_total(folder: Path) -> None:
    both = [start(folder, "sweep.num_trials=7", "hydra.launcher.jobs_per_device=1") for _ in range(2)]
    await_begun(folder, 2, both[0])
    release(folder)
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
        assert "7 complete" in output
    check_complete(folder, 7)
    assert len({trial.user_attrs["owner"] for trial in trials(folder)}) == 2


def test_trials_of_a_killed_controller_are_taken_over_by_the_other(folder: Path) -> None:
    both = [start(folder, "sweep.num_trials=3", "hydra.launcher.jobs_per_device=1") for _ in range(2)]
    await_begun(folder, 2, both[0])
    workers = worker_pids(folder)
    kill_controller(both[0])
    await_that(lambda: any(map(is_gone, workers)))  # otherwise its job may end too
    release(folder)
    output = finish(both[1])
    assert both[1].returncode == 0, output
    check_complete(folder, 3)


@pytest.mark.slow
def test_trials_of_a_killed_controller_of_another_machine_are_taken_over(folder: Path) -> None:
    """The one that takes over starts after its death, so that it waits for a heartbeat before it decides."""
    process = start_elsewhere(folder, "one", "sweep.num_trials=3", lost_after_s=2)
    await_begun(folder, 1, process)
    kill_controller(process)
    release(folder)
    began = time.time()
    other = start_elsewhere(folder, "two", "sweep.num_trials=3", lost_after_s=2)
    output = finish(other)
    assert other.returncode == 0, output
    assert "Waiting for 1 trial of other controllers" in output
    assert "Trial 0 is run again: its controller was lost" in output
    assert (folder / "0" / "starts").stat().st_mtime - began >= 2  # written at the second start for the last time
    check_complete(folder, 3)


@pytest.mark.slow
def test_a_controller_whose_clock_is_wrong_keeps_its_trials(folder: Path) -> None:
    options = ("sweep.num_trials=4",)
    both = [start_elsewhere(folder, "one", *options, lost_after_s=600, clock_off_s=-3600)]
    await_begun(folder, 1, both[0])
    both.append(start_elsewhere(folder, "two", *options, lost_after_s=600))
    await_begun(folder, 2, both[1])
    release(folder)
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
        assert "taken over" not in output and "was lost" not in output
    check_complete(folder, 4)
    assert len({trial.user_attrs["owner"] for trial in trials(folder)}) == 2


@pytest.mark.slow
def test_a_grid_resumes_with_its_axes_in_another_order(tmp_path: Path) -> None:
    folder, axes = tmp_path / "study", ("x=1,2", "write_mb=0,0.001")
    run(folder, *axes, "sweep.sampler=grid", "sweep.num_trials=3")
    run(folder, *reversed(axes), "sweep.sampler=grid")
    configurations = [trial.params for trial in trials(folder)]
    assert len(configurations) == len({tuple(sorted(c.items())) for c in configurations}) == 4
    kinds = [json.loads((folder / str(number) / "trial.json").read_text())["kind"] for number in range(4)]
    assert kinds == ["grid"] * 4

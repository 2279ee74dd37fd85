"""Faults of real processes: after each, the study holds exactly its trials, each finished once in its own folder."""

import os
import signal
from pathlib import Path

import pytest
from search_runs import (
    await_begun,
    await_that,
    check_whole,
    finish,
    is_gone,
    kill_controller,
    read_line,
    run,
    start,
    starts,
    states,
    trials,
    worker_pids,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a sweep whose jobs wait in their last epoch until `go`."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "hold").touch()
    return folder


def go(folder: Path) -> None:
    (folder / "hold").unlink()


def test_a_killed_worker_is_replaced_and_its_trial_goes_on(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=3")
    await_begun(folder, 2, process)
    os.kill(worker_pids(folder)[0], signal.SIGKILL)
    await_that(lambda: len(starts(folder)[0]) == 2, process)
    go(folder)
    output = finish(process)
    assert process.returncode == 0, output
    assert "it is run again from its checkpoint" in output
    check_whole(folder, 3)
    assert [trial.user_attrs["attempts"] for trial in trials(folder)] == [2, 1, 1]


def test_a_killed_controller_takes_its_workers_with_it_and_the_command_goes_on(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=3")
    await_begun(folder, 2, process)
    workers = worker_pids(folder)
    kill_controller(process)
    await_that(lambda: all(map(is_gone, workers)))
    assert states(folder) == ["RUNNING", "RUNNING"]
    go(folder)
    assert "its controller was lost" in run(folder, "sweep.num_trials=3")
    check_whole(folder, 3)


@pytest.mark.slow
def test_controller_and_workers_killed(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=3")
    await_begun(folder, 2, process)
    workers = worker_pids(folder)
    kill_controller(process)
    for pid in workers:
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)
    go(folder)
    run(folder, "sweep.num_trials=3")
    check_whole(folder, 3)


def test_ctrl_c_lets_the_running_jobs_finish(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=5")
    await_begun(folder, 2, process)
    os.killpg(process.pid, signal.SIGINT)
    await_that(lambda: "Ctrl-C" in read_line(process))
    go(folder)
    output = finish(process)
    assert process.returncode != 0
    assert states(folder) == ["COMPLETE", "COMPLETE"], output
    assert "give the same command again" in output
    run(folder, "sweep.num_trials=5")
    check_whole(folder, 5)


@pytest.mark.parametrize("ctrl_c", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["Ctrl-C twice", "SIGTERM"])
def test_a_sweep_that_is_stopped_leaves_its_trials_waiting(ctrl_c: bool, folder: Path) -> None:
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
    go(folder)
    run(folder, "sweep.num_trials=3")
    check_whole(folder, 3)


def test_two_controllers_share_the_total(folder: Path) -> None:
    both = [start(folder, "sweep.num_trials=7", "hydra.launcher.jobs_per_device=1") for _ in range(2)]
    await_begun(folder, 2, both[0])
    go(folder)
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
        assert "7 complete" in output
    check_whole(folder, 7)
    assert len({trial.user_attrs["owner"] for trial in trials(folder)}) == 2


def test_what_a_killed_controller_ran_is_taken_over_by_the_other(folder: Path) -> None:
    both = [start(folder, "sweep.num_trials=3", "hydra.launcher.jobs_per_device=1") for _ in range(2)]
    await_begun(folder, 2, both[0])
    kill_controller(both[0])
    go(folder)
    output = finish(both[1])
    assert both[1].returncode == 0, output
    check_whole(folder, 3)


def test_a_pruner_ends_jobs_from_inside(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run(
        folder,
        "x=1,2,3,4",
        "sweep.sampler=grid",
        "epochs=9",
        "sweep.pruner=asha",
        "hydra.launcher.jobs_per_device=1",
    )
    assert states(folder) == ["COMPLETE", "PRUNED", "PRUNED", "PRUNED"]
    for trial in trials(folder)[1:]:
        num_epochs = len((Path(trial.user_attrs["run_dir"]) / "epochs").read_text().split())
        assert num_epochs == len(trial.intermediate_values) < 9
        assert trial.user_attrs["reason"] == f"pruned at step {num_epochs} by asha"


def test_a_launcher_of_whole_batches_serves_too(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    output = run(folder, "hydra/launcher=basic", "sweep.num_trials=3", "sweep.batch_size=2", local=False)
    assert "BasicLauncher runs jobs in batches, here of 2" in output
    check_whole(folder, 3)


def test_a_sweep_that_can_never_work_stops_and_goes_on_once_it_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    process = start(folder, "sweep.num_trials=9", "hydra.launcher.jobs_per_device=1", "write_mb=many")
    output = finish(process)
    assert process.returncode != 0
    assert states(folder) == ["FAIL"] * 3
    assert "all 3 trials of this command failed, the last failure is: " in output
    assert "give the same command again" in output.splitlines()[-1]


def test_a_sweep_whose_every_trial_fails_ends_with_the_reason(tmp_path: Path) -> None:
    process = start(tmp_path / "study", "sweep.num_trials=2", "epochs=many")
    output = finish(process)
    assert process.returncode != 0
    assert "no trial of the study ended well, the last failure is: " in output

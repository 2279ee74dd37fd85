"""Faults of real processes: after each, the study holds exactly its trials, each finished once in its own folder."""

import json
import os
import signal
from pathlib import Path

import pytest
from search_runs import (
    HERE,
    Process,
    await_begun,
    await_that,
    check_whole,
    finish,
    is_gone,
    kill_controller,
    read_line,
    run,
    start,
    start_elsewhere,
    starts,
    states,
    trials,
    worker_pids,
)

from spectral.cli import EXIT_INTERRUPTED


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


def begin_command(folder: Path, *overrides: str, **variables: str) -> Process:
    """A sweep that ends as the commands do."""
    return start(folder, *overrides, script=HERE / "apps" / "command_app.py", variables=variables)


def interrupt(process: Process, *, times: int = 1) -> None:
    os.kill(process.pid, signal.SIGINT)
    await_that(lambda: "Ctrl-C" in read_line(process))
    if times == 2:
        os.kill(process.pid, signal.SIGINT)


def check_final_is_left(folder: Path, process: Process, *overrides: str) -> None:
    """The sweep ends as one that was interrupted, and the same command runs what the search held back."""
    output = finish(process)
    assert process.returncode == EXIT_INTERRUPTED, output
    assert output.endswith("To go on, give the same command again.\nstopped.\n")
    assert states(folder) == ["COMPLETE"]
    assert (folder / "0" / "epochs").read_text().split() == ["1", "2"]
    (folder / "hold").unlink(missing_ok=True)
    output = run(folder, *overrides)
    assert "To go on" not in output
    assert (folder / "0" / "epochs").read_text().split() == ["1", "2", "3"]


def test_ctrl_c_during_the_last_trial_leaves_the_runs_at_the_end(folder: Path) -> None:
    overrides = ("sweep.num_trials=1", "sweep.search_overrides=['epochs=2']")
    process = begin_command(folder, *overrides)
    await_that(lambda: bool(starts(folder)), process)
    interrupt(process)
    go(folder)
    check_final_is_left(folder, process, *overrides)


def test_ctrl_c_twice_during_the_runs_at_the_end_leaves_them(folder: Path) -> None:
    overrides = ("sweep.num_trials=1", "sweep.search_overrides=['epochs=2','hold=nothing']")
    process = begin_command(folder, *overrides)
    await_that(lambda: [len(lines) for lines in starts(folder)] == [2], process)
    interrupt(process, times=2)
    check_final_is_left(folder, process, *overrides)


def test_ctrl_c_ends_a_slow_report_in_a_word(tmp_path: Path) -> None:
    folder, begun = tmp_path / "study", tmp_path / "begun"
    process = begin_command(folder, "sweep.num_trials=1", "sweep.report=true", SLOW_REPORT=str(begun))
    await_that(begun.exists, process)
    os.kill(process.pid, signal.SIGINT)
    output = finish(process)
    assert process.returncode == EXIT_INTERRUPTED
    assert output.endswith("stopped.\n") and "Traceback" not in output
    assert states(folder) == ["COMPLETE"] and (folder / "sweep.json").is_file()


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


def test_what_a_killed_controller_of_another_machine_ran_is_taken_over(folder: Path) -> None:
    """The one that takes over was begun after its death: it has seen no sign of it, and may not end before."""
    process = start_elsewhere(folder, "one", "sweep.num_trials=3")
    await_begun(folder, 1, process)
    kill_controller(process)
    go(folder)
    other = start_elsewhere(folder, "two", "sweep.num_trials=3")
    output = finish(other)
    assert other.returncode == 0, output
    assert "Waiting for 1 trial of other controllers" in output
    assert output.index("trial 2  complete") < output.index("Trial 0 is run again: its controller was lost")
    check_whole(folder, 3)


def test_a_controller_whose_clock_is_wrong_keeps_its_trials(folder: Path) -> None:
    both = [start_elsewhere(folder, "one", "sweep.num_trials=4", clock_off_s=-3600)]
    await_begun(folder, 1, both[0])
    both.append(start_elsewhere(folder, "two", "sweep.num_trials=4"))
    await_begun(folder, 2, both[1])
    go(folder)
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
        assert "taken over" not in output and "was lost" not in output
    check_whole(folder, 4)
    assert len({trial.user_attrs["owner"] for trial in trials(folder)}) == 2


def test_a_grid_goes_on_with_its_axes_in_another_order(tmp_path: Path) -> None:
    folder, axes = tmp_path / "study", ("x=1,2", "write_mb=0,0.001")
    run(folder, *axes, "sweep.sampler=grid", "sweep.num_trials=3")
    run(folder, *reversed(axes), "sweep.sampler=grid")
    configurations = [trial.params for trial in trials(folder)]
    assert len(configurations) == len({tuple(sorted(c.items())) for c in configurations}) == 4
    kinds = [json.loads((folder / str(number) / "trial.json").read_text())["kind"] for number in range(4)]
    assert kinds == ["grid"] * 4


FOUR = ("x=1,2,3,4", "sweep.sampler=grid")


def check_fault(folder: Path, expected: list[str]) -> list[str]:
    """The states of the trials, whose jobs each began once in a folder of their own; the reasons of those that failed.

    The others have ended whole: none was held up, cut short or lost.
    """
    found = trials(folder)
    assert [trial.state.name for trial in found] == expected
    assert [trial.params["x"] for trial in found] == [1, 2, 3, 4][: len(found)]
    assert [Path(trial.user_attrs["run_dir"]).name for trial in found] == [str(number) for number in range(len(found))]
    assert [len(lines) for lines in starts(folder)] == [1] * len(found)
    for trial in found:
        if trial.state.name == "COMPLETE":
            assert trial.values == [trial.params["x"] * 3]
            assert (folder / str(trial.number) / "epochs").read_text().split() == ["1", "2", "3"]
    return [trial.user_attrs["reason"] for trial in found if trial.state.name == "FAIL"]


def test_a_nan_objective_fails_its_trial_alone(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run(folder, *FOUR, "fault=not_a_number", "fault_at=[2]")
    assert check_fault(folder, ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]) == ["the objective is NaN"]


def test_an_exception_fails_its_trial_alone_and_its_traceback_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    output = run(folder, *FOUR, "fault=exception", "fault_at=[3]")
    assert check_fault(folder, ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]) == ["ArithmeticError: as told for 3"]
    trace = trials(folder)[2].user_attrs["traceback"]
    assert "in meet_fault" in trace and trace.rstrip().endswith("ArithmeticError: as told for 3")
    assert json.loads((folder / "2" / "trial.json").read_text())["reason"] == "ArithmeticError: as told for 3"
    assert "3 complete, 1 fail" in output


@pytest.mark.slow
def test_a_job_that_hangs_is_ended_and_holds_up_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run(folder, *FOUR, "fault=hang", "fault_at=[1]", "hydra.launcher.time_limit_s=8")
    assert check_fault(folder, ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]) == [
        "JobTimeout: time limit of 8 s reached"
    ]
    found = trials(folder)
    assert all(t.datetime_complete < found[0].datetime_complete for t in found[1:])  # type: ignore[operator]
    assert all(map(is_gone, worker_pids(folder)))


def test_too_many_failures_stop_the_command_and_the_next_one_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    overrides = (*FOUR, "fault=exception", "fault_at=[1,2]", "sweep.max_failures=2", "hydra.launcher.jobs_per_device=1")
    process = start(folder, *overrides)
    output = finish(process)
    assert process.returncode != 0
    assert "sweep.max_failures=2 is reached, the last failure is: ArithmeticError: as told for 2." in output
    check_fault(folder, ["FAIL", "FAIL"])
    run(folder, *overrides)
    reasons = check_fault(folder, ["FAIL", "FAIL", "COMPLETE", "COMPLETE"])
    assert reasons == [f"ArithmeticError: as told for {x}" for x in (1, 2)]


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


def test_in_batches_of_two_at_once_a_failing_job_fails_its_trial_alone(folder: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    options = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "sweep.sampler=grid", "sweep.max_retries=1")
    process = start(folder, *options, "x=1,bad,3,4,5,6", "die_at=5", local=False)
    await_begun(folder, 2, process)
    go(folder)
    output = finish(process)
    assert process.returncode == 0, output
    assert "JoblibLauncher runs jobs in batches, here of 2" in output
    found = trials(folder)
    assert [trial.params["x"] for trial in found] == [1, "bad", 3, 4, 5, 6]
    assert [trial.values for trial in found] == [[3], None, [9], [12], None, [18]]
    assert "could not convert string to float" in found[1].user_attrs["reason"]
    # The job whose worker died took that of its batch along, which was run again by itself.
    assert "the launcher failed: TerminatedWorkerError" in found[4].user_attrs["reason"]


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

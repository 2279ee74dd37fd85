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
    check_complete,
    end_of,
    finish,
    is_gone,
    read_line,
    release,
    run,
    start,
    starts,
    states,
    trials,
    worker_pids,
)
from waiting import await_that

from spectral.cli.run import EXIT_MISTAKE


def test_a_killed_worker_is_replaced_and_its_trial_resumes(folder: Path) -> None:
    process = start(folder, "sweep.num_trials=3")
    await_begun(folder, 2, process)
    os.kill(worker_pids(folder)[0], signal.SIGKILL)
    await_that(lambda: len(starts(folder)[0]) == 2, process)
    release(folder)
    output = finish(process)
    assert process.returncode == 0, output
    assert "it is run again from its checkpoint" in output
    check_complete(folder, 3)
    assert [trial.user_attrs["attempts"] for trial in trials(folder)] == [2, 1, 1]


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


@pytest.mark.slow
def test_a_nan_objective_fails_its_trial_alone(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run(folder, *FOUR, "fault=not_a_number", "fault_at=[2]")
    assert check_fault(folder, ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]) == ["the objective is NaN"]


def test_an_exception_fails_its_trial_alone_and_its_traceback_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    output = run(folder, *FOUR, "fault=exception", "fault_at=[3]")
    assert check_fault(folder, ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]) == ["ArithmeticError: as asked for 3"]
    trace = trials(folder)[2].user_attrs["traceback"]
    assert "in meet_fault" in trace and trace.rstrip().endswith("ArithmeticError: as asked for 3")
    assert json.loads((folder / "2" / "trial.json").read_text())["reason"] == "ArithmeticError: as asked for 3"
    assert "3 complete, 1 fail" in output


@pytest.mark.slow
def test_a_trial_that_kills_its_controllers_fails_after_its_last_attempt(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    fault = ("fault=kill_controller", "fault_at=[2]", "sweep.max_retries=1", "hydra.launcher.jobs_per_device=1")
    options = (*FOUR, *fault)
    for _ in range(2):
        process = start(folder, *options)
        finish(process)
        assert process.returncode == -signal.SIGKILL
    output = run(folder, *options)
    assert states(folder) == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert [len(lines) for lines in starts(folder)] == [1, 2, 1, 1]
    reason = "the worker was lost 2 times, the last: its controller was lost; sweep.max_retries=1"
    assert trials(folder)[1].user_attrs["reason"] == reason and reason in output


def refused(folder: Path, refuse: Path, *overrides: str) -> Process:
    """Start a sweep whose workers cannot start a process while the file exists."""
    app, variables = HERE / "apps" / "refusing_app.py", {"REFUSE": str(refuse)}
    return start(folder, "sweep.num_trials=3", *overrides, script=app, variables=variables)


@pytest.mark.slow
def test_a_sweep_waits_for_workers_that_get_no_process(tmp_path: Path) -> None:
    folder, refuse = tmp_path / "study", tmp_path / "refuse"
    refuse.touch()
    process = refused(folder, refuse)
    await_that(lambda: "A job could not start (no worker process could be started: Blocking" in read_line(process))
    refuse.unlink()
    output = finish(process)
    assert process.returncode == 0, output
    assert output.count("Jobs start again.") == 1 and "could not start" not in output
    check_complete(folder, 3)


@pytest.mark.slow
def test_workers_that_never_get_a_process_end_the_command_in_one_sentence_and_it_resumes(tmp_path: Path) -> None:
    folder, refuse = tmp_path / "study", tmp_path / "refuse"
    refuse.touch()
    process = refused(folder, refuse, "sweep.start_timeout_s=1")
    output = finish(process)
    assert process.returncode == EXIT_MISTAKE and "Traceback" not in output
    reason = "the last reason is: no worker process could be started: BlockingIOError: "
    assert f"error: no job could start within sweep.start_timeout_s=1, {reason}" in output.splitlines()[-1]
    assert output.endswith(": fix it and give the same command again.\n")
    assert states(folder) == ["WAITING", "WAITING"]
    refuse.unlink()
    run(folder, "sweep.num_trials=3")
    check_complete(folder, 3)


@pytest.mark.slow
def test_a_job_that_hangs_is_ended_and_holds_up_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run(folder, *FOUR, "fault=hang", "fault_at=[1]", "hydra.launcher.time_limit_s=8")
    assert check_fault(folder, ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]) == [
        "JobTimeout: time limit of 8 s reached"
    ]
    found = trials(folder)
    assert all(t.datetime_complete < found[0].datetime_complete for t in found[1:])  # type: ignore[operator]  # ended trials have a time
    assert all(map(is_gone, worker_pids(folder)))


@pytest.mark.slow
def test_too_many_failures_stop_the_command_and_the_next_one_resumes(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    overrides = (*FOUR, "fault=exception", "fault_at=[1,2]", "sweep.max_failures=2", "hydra.launcher.jobs_per_device=1")
    code, output = end_of(folder, *overrides)
    assert code != 0
    assert "sweep.max_failures=2 is reached, the last failure is: ArithmeticError: as asked for 2." in output
    check_fault(folder, ["FAIL", "FAIL"])
    run(folder, *overrides)
    reasons = check_fault(folder, ["FAIL", "FAIL", "COMPLETE", "COMPLETE"])
    assert reasons == [f"ArithmeticError: as asked for {x}" for x in (1, 2)]


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


def test_a_launcher_of_whole_batches_can_run_a_sweep(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    output = run(folder, "hydra/launcher=basic", "sweep.num_trials=3", "sweep.batch_size=2", local=False)
    assert "BasicLauncher runs jobs in batches, here of 2" in output
    check_complete(folder, 3)


@pytest.mark.slow
def test_in_batches_of_two_at_once_a_failing_job_fails_its_trial_alone(folder: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    options = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "sweep.sampler=grid", "sweep.max_retries=1")
    process = start(folder, *options, "x=1,bad,3,4,5,6", "die_at=5", local=False)
    await_begun(folder, 2, process)
    release(folder)
    output = finish(process)
    assert process.returncode == 0, output
    assert "JoblibLauncher runs jobs in batches, here of 2" in output
    found = trials(folder)
    assert [trial.params["x"] for trial in found] == [1, "bad", 3, 4, 5, 6]
    assert [trial.values for trial in found] == [[3], None, [9], [12], None, [18]]
    assert "could not convert string to float" in found[1].user_attrs["reason"]
    # The worker that died ended the other job of its batch too, which was run again.
    assert "the launcher failed: TerminatedWorkerError" in found[4].user_attrs["reason"]


def test_a_sweep_that_cannot_work_stops_and_resumes_once_it_is_fixed(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    code, output = end_of(folder, "sweep.num_trials=9", "hydra.launcher.jobs_per_device=1", "write_mb=many")
    assert code != 0
    assert states(folder) == ["FAIL"] * 3
    assert "all 3 trials of this command failed, the last failure is: " in output
    assert "give the same command again" in output.splitlines()[-1]


@pytest.mark.slow
def test_a_sweep_whose_every_trial_fails_ends_with_the_reason(tmp_path: Path) -> None:
    code, output = end_of(tmp_path / "study", "sweep.num_trials=2", "epochs=many", "hydra.launcher.jobs_per_device=1")
    assert code != 0
    assert "no trial of the study ended well, the last failure is: " in output


@pytest.mark.slow
def test_a_final_run_that_fails_ends_the_command_with_the_reason(tmp_path: Path) -> None:
    """Without the override of the search the job has epochs, in which it fails. The study shows its result before."""
    options = ("sweep.space={}", "x=1,2", "fault=exception", "fault_at=[1,2]", "sweep.search_overrides=['epochs=0']")
    code, output = end_of(tmp_path / "study", *options)
    assert code != 0
    assert "best: " in output and states(tmp_path / "study") == ["COMPLETE"] * 2
    reason = "Trial 0 could not be run to its end: ArithmeticError: as asked for 1"
    assert f"{reason}: fix it and give the same command again." in output.splitlines()[-1]


@pytest.mark.slow
def test_a_study_that_can_never_be_scored_ends_well(tmp_path: Path) -> None:
    """As one that an earlier version has begun: what this one refuses cannot be changed in it, and is warned of."""
    options = ("sweep.space={}", "x=1,2", "fault=exception", "fault_at=[1,2]", "sweep.search_overrides=['epochs=0']")
    end_of(tmp_path / "study", *options)
    code, output = end_of(tmp_path / "study", *options, "sweep.check=spectral.errors:UserError")  # takes any config
    assert "this one resumes: sweep.search_overrides has epochs=0" in output
    assert "Trial 0 could not be run to its end: ArithmeticError: as asked for 1" in output
    assert code == 0, output

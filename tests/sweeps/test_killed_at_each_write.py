"""A sweep whose process is killed at any write of it ends, after the same command, as one that was never killed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from kill_matrix import Chosen, Command, Run, apart, bad, first_and_last, rows_of
from killed_sweeps import Whole
from killing import Event, Kill
from loop_runs import NO_TRIAL, WIDE, Call, sweep
from search_runs import HERE, REPOSITORY, finish, start
from small_runs import OVERRIDES


def task(call: Call) -> float:
    """A job that notes that it began; a final one elsewhere."""
    name = "finals" if call.link == NO_TRIAL else "starts"
    with (call.folder / name).open("a") as file:
        file.write("begun\n")
    (call.folder / "result.json").write_text(json.dumps({"x": call.values["x"]}))
    return float(call.values["x"])


def sweep_of_trials(folder: Path) -> None:
    sweep(folder, WIDE, task, num_slots=1, num_trials=3, sampler="random")


def sweep_of_seeds(folder: Path) -> None:
    sweep(folder, WIDE, task, num_slots=1, num_trials=2, sampler="random", seeds=2, search_overrides=["+final=false"])


@pytest.mark.slow
@pytest.mark.parametrize("call", [sweep_of_trials, sweep_of_seeds])
def test_a_controller_killed_at_any_write(call: Callable[[Path], None], tmp_path: Path) -> None:
    whole = Whole()
    command = Command(apart(call), lambda _folder: None, whole.lost, whole.wrong)
    assert not bad(rows_of(command, tmp_path, lambda event, _nth, _num: not event.file.endswith(".lock")))


# Real processes: the command and its worker, which is replaced if it is killed.

SMALL = [option for option in OVERRIDES if not option.startswith(("optimizer.lr=", "seed="))]


def in_processes(*overrides: str, script: Path) -> Run:
    """How to run the command of a sweep with one slot."""

    def run(folder: Path, *, output: Path, kill: Kill | None = None) -> int:
        variables = kill.variables() if kill else {}
        options = ("hydra.launcher.jobs_per_device=1", "sweep.sampler=random", *overrides)
        process = start(folder, *options, script=script, variables=variables)
        output.write_text(finish(process))
        assert process.returncode is not None
        return process.returncode

    return run


def check_processes(run: Run, base: Path, is_chosen: Chosen, whole: Whole) -> None:
    """Kill the processes of a sweep at chosen writes."""
    assert not bad(rows_of(Command(run, lambda _folder: None, whole.lost, whole.wrong), base, is_chosen))


@pytest.mark.slow
def test_a_command_or_its_worker_killed_at_its_writes(tmp_path: Path) -> None:
    run = in_processes("sweep.num_trials=2", script=HERE / "apps" / "search_app.py")
    check_processes(run, tmp_path, first_and_last, Whole())


@pytest.mark.slow
def test_a_sweep_of_the_product_killed_at_its_writes(pack_folder: Path, tmp_path: Path) -> None:
    """With two seeds of a trial, and its final runs."""

    def is_chosen(event: Event, nth: int, num: int) -> bool:
        is_of_run = event.role == "worker" and event.file.startswith("0/seed-1/") and nth == num
        is_record = event.file.endswith(("trial.json", "sweep.json")) and nth == num
        return event.call in ("rename", "write") and (is_of_run or is_record)

    data = ("data=packed", f"data.folder={pack_folder}", "optimizer.lr=interval(0.001,0.01)")
    options = (*data, *SMALL, "sweep.num_trials=1", "sweep.seeds=2")
    run = in_processes(*options, script=REPOSITORY / "run.py")
    check_processes(run, tmp_path, is_chosen, Whole())

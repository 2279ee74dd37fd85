"""Sweeps and the launcher's contract on a real SLURM, which is started for these tests."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from launcher_contract import REFUSED, LauncherContract
from search_runs import (
    REPOSITORY,
    Process,
    await_begun,
    check_complete,
    finish,
    is_gone,
    kill_controller,
    release,
    start,
    starts,
    trials,
    worker_pids,
)
from slurm_cluster import NoSlurm, slurm, slurm_cluster
from small_runs import OVERRIDES, outcome
from small_runs import run as run_alone
from waiting import await_that

pytest.importorskip("submitit")
pytestmark = pytest.mark.slow  # each job is a new process

OPTIONS = ("max_parallel=2", "look_s=2", "poll_s=0.1", "grace_s=5")
SLURM = ("hydra/launcher=slurm", *(f"hydra.launcher.{option}" for option in OPTIONS))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    try:
        with slurm_cluster(tmp_path_factory.mktemp("slurm")) as environment:
            yield environment
    except NoSlurm as reason:
        pytest.skip(str(reason))


@pytest.fixture(autouse=True)
def on_cluster(cluster: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cluster.items():
        monkeypatch.setenv(name, value)


def start_sweep(folder: Path, num_trials: int) -> Process:
    return start(folder, *SLURM, f"sweep.num_trials={num_trials}", local=False)


def finish_well(process: Process) -> str:
    output = finish(process)
    assert process.returncode == 0, output
    return output


def jobs_in_queue(cluster: dict[str, str]) -> list[str]:
    """Numbers of the jobs that have not ended, the oldest first."""
    return sorted(slurm(cluster, "squeue", "--noheader", "--format=%i").split(), key=int)


def is_in_state(state: str, job: str, cluster: dict[str, str]) -> bool:
    return f"JobState={state} " in slurm(cluster, "scontrol", "show", "job", job)


def test_a_sweep_runs_each_trial_once_and_respects_max_parallel(folder: Path, cluster: dict[str, str]) -> None:
    process = start_sweep(folder, 5)
    await_begun(folder, 2, process)
    # The cluster has room for four.
    assert len(jobs_in_queue(cluster)) == 2
    release(folder)
    finish_well(process)
    check_complete(folder, 5)
    assert all("on job" in job["slot"] for trial in trials(folder) for job in trial.user_attrs["jobs"])


@pytest.mark.parametrize("by", ["scancel", "kill"])
def test_a_killed_job_is_run_again_from_its_checkpoint(by: str, folder: Path, cluster: dict[str, str]) -> None:
    process = start_sweep(folder, 3)
    await_begun(folder, 2, process)
    if by == "kill":
        os.kill(worker_pids(folder)[0], signal.SIGKILL)
    else:
        slurm(cluster, "scancel", "--signal=KILL", jobs_in_queue(cluster)[0])
    await_that(lambda: any(len(lines) == 2 for lines in starts(folder)), process)
    release(folder)
    assert "it is run again from its checkpoint" in finish_well(process)
    check_complete(folder, 3)
    assert sorted(trial.user_attrs["attempts"] for trial in trials(folder)) == [1, 1, 2]


@pytest.mark.parametrize("command", ["scontrol requeue", "scancel --signal=USR2"])
def test_a_requeued_job_resumes_under_its_number(command: str, folder: Path, cluster: dict[str, str]) -> None:
    process = start_sweep(folder, 3)
    await_begun(folder, 2, process)
    job = jobs_in_queue(cluster)[0]
    slurm(cluster, *command.split(), job)
    await_that(partial(is_in_state, "PENDING", job, cluster), process)
    # Otherwise it would wait for two minutes; in the second of its end its node would refuse it.
    slurm(cluster, "scontrol", "update", f"JobId={job}", "StartTime=now+3")
    await_that(lambda: any(len(lines) == 2 for lines in starts(folder)), process)
    assert "Restarts=1" in slurm(cluster, "scontrol", "show", "job", job)
    release(folder)
    output = finish_well(process)
    check_complete(folder, 3)
    # SLURM ran it again, not the sweep.
    assert [trial.user_attrs["attempts"] for trial in trials(folder)] == [1, 1, 1], output


def test_jobs_of_a_killed_controller_are_cancelled_by_the_next(folder: Path, cluster: dict[str, str]) -> None:
    process = start_sweep(folder, 3)
    await_begun(folder, 2, process)
    left, workers = jobs_in_queue(cluster), worker_pids(folder)
    kill_controller(process)
    process = start_sweep(folder, 3)
    await_that(lambda: all(map(is_gone, workers)), process)
    for job in left:
        await_that(partial(is_in_state, "CANCELLED", job, cluster), process)
    release(folder)
    assert "its controller was lost" in finish_well(process)
    check_complete(folder, 3)
    assert [trial.user_attrs["attempts"] for trial in trials(folder)] == [2, 2, 1]


def test_a_sweep_with_a_killed_controller_ends_with_the_numbers_of_a_single_run(
    pack_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    small = ["data=packed", f"data.folder={pack_folder}", *(o for o in OVERRIDES if not o.startswith("model.width"))]
    small.append("schedule.stages.0.epochs=20")
    command = [*SLURM, *small, "model.width=4,6", "sweep.search_overrides=[]"]
    process = start(folder, *command, script=REPOSITORY / "run.py", local=False)
    await_that(lambda: any(folder.glob("*/last.ckpt")), process)
    kill_controller(process)
    finish_well(start(folder, *command, script=REPOSITORY / "run.py", local=False))
    found = trials(folder)
    assert [trial.state.name for trial in found] == ["COMPLETE", "COMPLETE"]
    for number, width in enumerate((4, 6)):
        alone = tmp_path / f"alone-{width}"
        run_alone([*small, f"model.width={width}", f"run_dir={alone}"])
        assert outcome(folder / str(number)) == outcome(alone)


def test_a_job_unknown_to_slurm_has_ended_and_a_silent_slurm_ends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from sweeps.launchers.squeue import FORGOTTEN, QueueWatcher

    watcher = QueueWatcher(60, 60.0)
    assert watcher.get_state("999999", mode="force") == FORGOTTEN
    assert watcher.is_done("999999")
    monkeypatch.setenv("PATH", "/nowhere")
    assert not watcher.is_done("999998", mode="force")


class TestContract(LauncherContract):
    name = "slurm"
    options = {"max_parallel": 2, "look_s": 2, "poll_s": 0.1, "grace_s": 5}  # noqa: RUF012  # nobody changes it
    died = "FAILED"
    limit_s = 15

    def refuse_starts(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        sbatch = folder / "refusing" / "sbatch"
        sbatch.parent.mkdir()
        sbatch.write_text(f"#!/bin/sh\necho 'sbatch: error: {REFUSED}' >&2\nexit 1\n")
        sbatch.chmod(0o755)
        patch.setenv("PATH", f"{sbatch.parent}{os.pathsep}{os.environ['PATH']}")

"""Jobs that a killed controller left behind, and that no command can end: their successors wait for them."""

import os
import signal
from pathlib import Path

import pytest
from search_runs import await_begun, check_complete, finish, is_gone, start, trials, worker_pids
from waiting import await_that

pytest.importorskip("submitit")
# submitit's executor for one machine: its jobs outlive their controller, and no SLURM cancels them.
LEAVES_JOBS = ("hydra/launcher=slurm", *(f"hydra.launcher.{o}" for o in ("executor=local", "max_parallel=2")))


@pytest.mark.slow
def test_trials_of_left_over_jobs_resume_once_those_jobs_have_ended(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "hold").touch()
    killed = start(folder, *LEAVES_JOBS, "sweep.num_trials=3", local=False)
    await_begun(folder, 2, killed)
    left = worker_pids(folder)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    process = start(folder, "sweep.num_trials=3")
    logs = [folder / name / "job.log" for name in ("0", "1")]
    await_that(lambda: all(log.exists() and "waiting for its end" in log.read_text() for log in logs), process)
    assert not any(map(is_gone, left))
    (folder / "hold").unlink()
    output = finish(process)
    assert process.returncode == 0, output
    await_that(lambda: all(map(is_gone, left)))
    assert killed.stdout
    killed.stdout.close()
    check_complete(folder, 3)
    assert [trial.user_attrs["attempts"] for trial in trials(folder)] == [2, 2, 1]

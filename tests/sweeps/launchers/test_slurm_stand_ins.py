"""The SLURM launcher with stand-ins for SLURM's commands on PATH, for machines without SLURM.

See slurm_stand_in.py; test_slurm_cluster.py has a real cluster."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from launcher_contract import LauncherTests, Make, assert_gone, started_pids
from launcher_runs import texts_of, write_text
from omegaconf import DictConfig
from waiting import PATIENCE_S

from sweeps.launchers.contract import StartFailed, WorkerLost

pytest.importorskip("submitit")
pytestmark = pytest.mark.slow  # each job is a new process
COMMANDS = ("sbatch", "srun", "squeue", "scancel", "scontrol")


def resumable(config: DictConfig) -> str:
    """A job that starts, saves, and waits to be stopped; started again, it returns what it had saved."""
    own = Path(HydraConfig.get().runtime.output_dir)
    if (own / "saved").exists():
        return (own / "saved").read_text()
    write_text(own / "saved", "by the first attempt")
    texts_of(Path(config.folder), "never", 1)
    return ""


class TestStandIns(LauncherTests):
    name = "slurm"
    options = {"max_parallel": 2, "poll_s": 0.1, "grace_s": 5, "gpus_per_node": 1, "mem_gb": 3}  # noqa: RUF012  # nobody changes it

    @pytest.fixture(autouse=True)
    def jobs(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
        commands, jobs = tmp_path_factory.mktemp("commands"), tmp_path_factory.mktemp("jobs")
        for name in COMMANDS:
            (commands / name).write_text((Path(__file__).parents[1] / "helpers" / "slurm_stand_in.py").read_text())
            (commands / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("SLURM_STAND_IN", str(jobs))
        return jobs

    def test_a_job_gets_what_was_asked_for(self, make: Make, jobs: Path) -> None:
        launcher = make(**{"partition": "short", "additional.qos": "long"}, timeout_min=7, signal_delay_s=30)
        assert launcher.submit(["x=3"], 0).result(PATIENCE_S).return_value == 9
        assert str(launcher.slot_of(0)).endswith(" on job 1")
        script = (jobs / "1" / "script.sh").read_text()
        asked = "partition=short qos=long time=7 gpus-per-node=1 mem=3GB cpus-per-task=1 signal=USR2@30"
        for option in asked.split():
            assert f"#SBATCH --{option}\n" in script

    def test_a_preempted_job_is_requeued_and_resumes(self, make: Make, tmp_path: Path, jobs: Path) -> None:
        future = make(resumable).submit([], 0)
        texts_of(tmp_path, "0/saved", 1)
        for name in ("TERM", "USR2"):
            subprocess.run(["scancel", "1", "--signal", name], check=True)
        assert future.result(PATIENCE_S).return_value == "by the first attempt"
        assert [job.name for job in jobs.iterdir()] == ["1"]

    def test_a_job_that_sbatch_refuses_has_not_started(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        launcher = make()
        with monkeypatch.context() as patch:
            patch.setenv("SLURM_STAND_IN_REFUSES", "Slurm controller not responding")
            error = launcher.submit(["x=2"], 0).exception(60)
        assert isinstance(error, StartFailed) and launcher.slot_of(0) is None
        assert error.reason == "the job could not be submitted: sbatch: error: Slurm controller not responding"
        assert launcher.submit(["x=2"], 0).result(60).return_value == 4

    def test_a_killed_job_is_lost(self, make: Make, tmp_path: Path) -> None:
        launcher = make()
        future = launcher.submit(["do=wait"], 0)
        for pid in started_pids(tmp_path, 1):
            os.kill(pid, signal.SIGKILL)
        error = future.exception(PATIENCE_S)
        assert isinstance(error, WorkerLost)
        assert "FAILED" in error.reason
        assert launcher.submit(["x=2"], 1).result(PATIENCE_S).return_value == 4

    def test_shutdown_cancels_jobs(self, make: Make, tmp_path: Path, jobs: Path) -> None:
        launcher = make()
        future = launcher.submit(["do=wait"], 0)
        pids = started_pids(tmp_path, 1)
        launcher.shutdown(wait=False)
        assert isinstance(future.exception(PATIENCE_S), WorkerLost)
        assert_gone(pids)
        assert texts_of(jobs, "1/state", 1) == ["CANCELLED"]

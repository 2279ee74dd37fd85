"""The output of a local worker's jobs, and where it is written."""

import os
import sys
from pathlib import Path

import pytest
from launcher_contract import LauncherTests, Make
from launcher_runs import TWO_WORKERS
from omegaconf import DictConfig
from waiting import PATIENCE_S

from sweeps.launchers.contract import WorkerLost


class TestOutput(LauncherTests):
    name = "local"
    options = TWO_WORKERS

    @staticmethod
    def loud(config: DictConfig) -> None:
        if config.x:
            print("to stdout")
            print("to stderr", file=sys.stderr)
            os.system("echo from a child")

    def test_output_is_written_to_a_file_in_the_job_folder(
        self, make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        launcher = make(self.loud)
        for i in range(2):
            assert launcher.submit([f"x={i}"], i).exception(PATIENCE_S) is None
        assert (tmp_path / "1" / "job.log").read_text() == "to stdout\nto stderr\nfrom a child\n"
        assert not (tmp_path / "0" / "job.log").exists()
        assert capfd.readouterr() == ("", "")

    def test_output_can_be_shown(self, make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert make(self.loud, show_output=True).submit([], 0).exception(PATIENCE_S) is None
        assert not (tmp_path / "0" / "job.log").exists()
        out, err = capfd.readouterr()
        assert sorted(out.split("\n")) == ["", "from a child", "to stdout"]
        assert "to stderr" in err

    def test_a_crash_writes_its_stack_to_the_output(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            print("before")
            os.abort()

        assert isinstance(make(job).submit([], 0).exception(PATIENCE_S), WorkerLost)
        log = (tmp_path / "0" / "job.log").read_text()
        assert log.startswith("before\n")
        assert "Fatal Python error: Aborted" in log and "in job" in log

    @pytest.mark.slow
    def test_a_second_attempt_appends_to_the_output(self, make: Make, tmp_path: Path) -> None:
        launcher = make(self.loud)
        for _ in range(2):
            launcher.submit(["hydra.sweep.subdir=same"], 0).result(PATIENCE_S)
        assert (tmp_path / "same" / "job.log").read_text().count("to stdout") == 2

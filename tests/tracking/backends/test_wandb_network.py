"""An offline run opens no connection: neither to a server nor to a name server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from offline_runs import offline_runs
from small_runs import REPOSITORY

Overrides = Callable[..., list[str]]


def traced(overrides: list[str], cwd: Path, **environment: str) -> tuple[list[str], list[str]]:
    """The output of a run, and the connections that it and all of its children opened."""
    calls = cwd / "calls"
    trace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(calls)]
    ended = subprocess.run(
        [*trace, sys.executable, str(REPOSITORY / "run.py"), *overrides],
        cwd=cwd,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return (ended.stdout + ended.stderr).splitlines(), calls.read_text().splitlines()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_an_offline_run_opens_no_connection(tracked: Overrides, tmp_path: Path) -> None:
    longer = ("schedule.stages.0.epochs=40", "plots=false")
    output, calls = traced(tracked("wandb", "tracker.mode=offline", *longer), tmp_path)
    assert not [call for call in calls if "AF_INET" in call]
    (logged,) = offline_runs(tmp_path / "run")
    assert logged.summary["summary"]["status"] == "finished" and len(logged.epochs) == 40
    # Quiet, too: one line, with the command to run later.
    lines = [line for line in output if "wandb" in line]
    assert len(lines) == 1 and lines[0].endswith(f"wandb sync {logged.folder}")
    assert not (tmp_path / "wandb").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_run_with_a_key_connects_to_its_server(tracked: Overrides, tmp_path: Path) -> None:
    """This shows that the test above would see a connection."""
    server = {"WANDB_API_KEY": "0123456789abcdef" * 3, "WANDB_BASE_URL": "http://127.0.0.1:9"}
    _, calls = traced(tracked("wandb", "plots=false", "tracker.start_timeout_s=3"), tmp_path, **server)
    assert [call for call in calls if "AF_INET" in call and "htons(9)" in call]

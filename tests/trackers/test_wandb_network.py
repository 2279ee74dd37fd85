"""An offline run calls nobody: neither a server nor a name server."""

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


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_an_offline_run_opens_no_connection(tracked: Overrides, tmp_path: Path) -> None:
    """Seen from outside, by the calls that the run and all of its children make."""
    calls = tmp_path / "calls"
    trace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(calls)]
    command = [*trace, sys.executable, str(REPOSITORY / "run.py"), *tracked("wandb")]
    ended = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    (told,) = offline_runs(tmp_path / "run")
    assert told.summary["summary"]["status"] == "finished"
    lines = calls.read_text().splitlines()
    assert any("AF_UNIX" in line for line in lines), "nothing was seen at all"
    assert not [line for line in lines if "AF_INET" in line]
    # Quiet, too: one line, with the command to run later.
    told_lines = [line for line in (ended.stdout + ended.stderr).splitlines() if "wandb" in line]
    assert len(told_lines) == 1 and told_lines[0].endswith(f"wandb sync {told.folder}")
    assert not (tmp_path / "wandb").exists()

"""Two processes that claim the trials of one study as fast as they can."""

import os
import subprocess
import sys
from pathlib import Path

from search_runs import REPOSITORY, Process

CLAIMER = """
import sys
from pathlib import Path
sys.path.insert(0, "tests/sweeps/helpers")
from loop_runs import open_study
study = open_study(Path(sys.argv[1]), {"x": {"low": 0.0, "high": 1.0}}, num_trials=40, storage=sys.argv[2] or None)
print("ready", flush=True)
sys.stdin.readline()
while (trial := study.claim()) is not None:
    print(trial.number, flush=True)
print("done", flush=True)
# Alive until both are done: the trials of a dead one would be taken over.
sys.stdin.readline()
"""


def claimed_concurrently(folder: Path, url: str | None) -> list[int]:
    """The numbers that both claimed, until none of 40 was left."""
    command = [sys.executable, "-c", CLAIMER, str(folder), url or ""]
    environment, pipe = os.environ | {"PYTHONPATH": str(REPOSITORY)}, subprocess.PIPE
    both = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=pipe, stdout=pipe, text=True) for _ in range(2)
    ]
    for process in both:
        assert lines_until("ready", process) == []
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    numbers = [int(line) for process in both for line in lines_until("done", process)]
    for process in both:
        process.communicate("end\n")
    return numbers


def lines_until(last: str, process: Process) -> list[str]:
    """The lines that a process prints before the last one."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        if line.strip() == last:
            return lines
        lines.append(line.strip())
    raise AssertionError(f"the process ended after {lines}")


OPENER = """
import sys
import optuna, alembic.config, sqlalchemy.dialects.postgresql  # what opening imports, so that all are equally fast
from sweeps.storage.connect import close_storage, open_storage
print("ready", flush=True)
for line in sys.stdin:
    close_storage(open_storage(line.strip(), 30.0))
    print("opened", flush=True)
"""


def open_concurrently(urls: list[str], num_processes: int = 3) -> None:
    """Open each of some empty databases in several processes at the same time."""
    command = [sys.executable, "-c", OPENER]
    environment, pipe = os.environ | {"PYTHONPATH": str(REPOSITORY)}, subprocess.PIPE
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=pipe, stdout=pipe, text=True)
        for _ in range(num_processes)
    ]
    for process in processes:
        lines_until("ready", process)
    for url in urls:
        for process in processes:
            assert process.stdin
            process.stdin.write(f"{url}\n")
            process.stdin.flush()
        for process in processes:
            lines_until("opened", process)
    for process in processes:
        process.communicate()

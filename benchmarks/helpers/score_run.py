"""Run one arm of time_to_score.py for its time, and see when each epoch's score appears in the trials' folders."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.product_runs import ROOT
from helpers.score_space import OBJECTIVE
from helpers.score_table import Point

POLL_S = 0.25
GRACE_S = 20.0  # from SIGTERM to SIGKILL


class Curves:
    """The scores of the trials below a folder, each with the time at which it was first seen."""

    def __init__(self, folder: Path, start: float) -> None:
        self._folder, self._start = folder, start
        self._seen: dict[tuple[str, int], Point] = {}
        self._sizes: dict[str, int] = {}

    def poll(self) -> None:
        now_s = time.monotonic() - self._start
        for entry in os.scandir(self._folder):
            path = Path(entry.path) / "metrics.jsonl"
            if (size := _size(path)) != self._sizes.get(entry.name, 0):
                self._sizes[entry.name] = size
                self._note(entry.name, path.read_text(), now_s)

    def _note(self, trial: str, text: str, now_s: float) -> None:
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                row = json.loads(line)
                point = Point(round(now_s, 2), trial, row["epoch"], row[OBJECTIVE])
                self._seen.setdefault((trial, row["epoch"]), point)

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(self._seen.values())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def run_for(
    command: Sequence[str], environment: Mapping[str, str], trials: Path, log: Path, limit_s: float
) -> tuple[float, tuple[Point, ...]]:
    """Run a command until its time is up; returns the seconds that it ran, and the scores of its trials.

    Args:
        trials: the folder of the trials' folders.
        log: where the output of the command goes.

    Raises:
        SystemExit: the command failed before, with the end of its output.
    """
    with log.open("w") as file:
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdout=file,
            stderr=file,
            start_new_session=True,  # so that all its processes can be ended
        )
        curves = Curves(trials, start)
        try:
            while process.poll() is None and time.monotonic() - start < limit_s:
                curves.poll()
                time.sleep(POLL_S)
            duration_s = time.monotonic() - start
        finally:
            _end(process)
    if duration_s < limit_s:
        end = log.read_text()[-3000:]
        raise SystemExit(f"{' '.join(command)} ended by itself with {process.returncode}:\n{end}")
    return duration_s, curves.points


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command and all processes of its session."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

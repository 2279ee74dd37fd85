"""A dashboard in a process of its own, and files of run folders that it shows: pictures, and pages of a tracker."""

import contextlib
import os
import re
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import search_runs
from waiting import PATIENCE_S
from wandb_server import wandb_server

from spectral.configs.trackers import WandbConfig
from spectral.tracking.backends.contract import Ending, TrackedRun
from spectral.tracking.client import Tracking


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sweeps.dashboard", *arguments],
        cwd=search_runs.REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def dashboard(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a running dashboard, and its process."""
    process = command("--folder", str(folder), "--port", "0")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line + process.communicate()[0]
        yield address[0], process
    finally:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> str:
    """Ctrl-C; returns what was printed after the first line."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=PATIENCE_S)[0]


def track_online(run_folder: Path) -> str:
    """Log the run of a folder to the real Weights & Biases; returns its address on the server."""
    with pytest.MonkeyPatch.context() as patch, wandb_server() as server:
        patch.setenv("WANDB_BASE_URL", server.address)
        patch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
        Tracking(WandbConfig(), TrackedRun(None, str(run_folder), {})).finish(Ending("finished"))
        return server.url_of(server.upserts[0]["name"])


def png(width: int, height: int) -> bytes:
    """A picture of one grey."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")

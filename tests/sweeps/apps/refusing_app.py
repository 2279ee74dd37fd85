"""search_app that ends as the commands do, and gets no process for a worker while the file REFUSE is there."""

import errno
import os
import runpy
import subprocess
from pathlib import Path
from typing import Any

from spectral.cli.run import run_command

Popen = subprocess.Popen


def start(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
    """As subprocess.Popen, on a machine that has no room for another process at times."""
    if Path(os.environ["REFUSE"]).exists():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return Popen(*arguments, **options)


if __name__ == "__main__":
    subprocess.Popen = start  # type: ignore[assignment, misc]
    run_command(lambda: runpy.run_path(str(Path(__file__).with_name("search_app.py")), run_name="__main__"))

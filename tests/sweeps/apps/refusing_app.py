"""search_app that ends as the commands do, and cannot start a worker process while the file REFUSE exists."""

import errno
import os
import runpy
import subprocess
from pathlib import Path
from typing import Any

from spectral.cli.run import run_command

Popen = subprocess.Popen


def start(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
    """subprocess.Popen on a machine that at times cannot start another process."""
    if Path(os.environ["REFUSE"]).exists():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return Popen(*arguments, **options)


if __name__ == "__main__":
    subprocess.Popen = start  # type: ignore[assignment, misc]  # a stand-in
    run_command(lambda: runpy.run_path(str(Path(__file__).with_name("search_app.py")), run_name="__main__"))

"""search_app that ends as the commands do, see run.py; its report waits if SLOW_REPORT names a file."""

import os
import runpy
from pathlib import Path

from spectral.cli.run import run_command
from sweeps.report import own_process

SLOW = "import os, pathlib, time; pathlib.Path(os.environ['SLOW_REPORT']).touch(); time.sleep(600)"


if __name__ == "__main__":
    if "SLOW_REPORT" in os.environ:
        own_process.START = SLOW
    run_command(lambda: runpy.run_path(str(Path(__file__).with_name("search_app.py")), run_name="__main__"))

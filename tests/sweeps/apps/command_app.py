"""search_app that ends as the commands do, see run.py; its report waits if SLOW_REPORT names a file."""

import os
import runpy
import time
from pathlib import Path
from typing import Any

from spectral.cli.run import run_command
from sweeps.report import command


def slow_report(*_: Any, **__: Any) -> None:
    Path(os.environ["SLOW_REPORT"]).touch()
    time.sleep(600)


if __name__ == "__main__":
    if "SLOW_REPORT" in os.environ:
        command.write_report = slow_report  # type: ignore[assignment]
    run_command(lambda: runpy.run_path(str(Path(__file__).with_name("search_app.py")), run_name="__main__"))

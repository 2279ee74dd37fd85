"""Run the rest of the command line as run.py does, up to the first job, which is reported and not run."""

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]


def report(*_: Any) -> None:
    reported = {"time": time.time(), "cpu_s": time.process_time(), "torch": "torch" in sys.modules}
    print(json.dumps(reported), flush=True)
    os._exit(0)


if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()
    from sweeps.launchers.pooled_launcher import PooledLauncher

    PooledLauncher.submit = report  # type: ignore[assignment,method-assign]  # the first submit ends it
    sys.argv[0] = str(REPOSITORY / "run.py")
    runpy.run_path(sys.argv[0], run_name="__main__")

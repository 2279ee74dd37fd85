"""Run the rest of the command line as run.py does, up to the first training step; a part of startup.py.

Prints when that began and ended, in seconds since 1970.
"""

import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()
    from spectral.training.trainer import Trainer

    step = Trainer._step

    def report(*arguments: Any) -> None:
        begun = time.time()
        step(*arguments)
        print(f"\n{begun} {time.time()}", flush=True)
        os._exit(0)

    Trainer._step = report  # type: ignore[method-assign,assignment]  # the first step ends it
    sys.argv[0] = str(REPOSITORY / "run.py")
    runpy.run_path(sys.argv[0], run_name="__main__")

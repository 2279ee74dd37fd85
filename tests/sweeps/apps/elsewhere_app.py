"""search_app as on another machine: named MACHINE, its clock CLOCK_OFF_S off, with frequent heartbeats."""

import os
import runpy
import time
from pathlib import Path

from sweeps.planning import checks
from sweeps.study import controllers


class WrongClock:
    """The module time, with another wall clock."""

    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def time() -> float:
        return time.time() + float(os.environ.get("CLOCK_OFF_S", "0"))


if __name__ == "__main__":
    controllers._machine = lambda: os.environ["MACHINE"]  # type: ignore[assignment]  # a stand-in
    controllers.time = WrongClock  # type: ignore[assignment]  # a stand-in
    controllers.BEAT_S = 0.1
    checks.AT_LEAST["lost_after_s"] = 0
    runpy.run_path(str(Path(__file__).with_name("search_app.py")), run_name="__main__")

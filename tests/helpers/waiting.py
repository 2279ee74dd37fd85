"""Waiting for what another process or thread does."""

import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 300.0  # no test depends on how quick a machine is: this only ends a test that would never end

Found = TypeVar("Found")


def await_that(condition: Callable[[], Found], process: "subprocess.Popen[str] | None" = None) -> Found:
    """Wait until a condition is true; returns what it then gave.

    Args:
        process: without which it cannot become true.

    Raises:
        AssertionError: it takes too long, or the process has ended.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came to this"
        if process and process.poll() is not None:
            raise AssertionError("\n".join(["ended too early:", *filter(None, process.communicate())]))
        time.sleep(0.01)
    return found

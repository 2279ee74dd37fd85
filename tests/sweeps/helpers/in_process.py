"""A command that is refused, within the test's own process: without the seconds in which Python starts.

A command that begins a job configures logging and closes the handlers of pytest: it needs a process of its own.
"""

import contextlib
import gc
import io
import logging
import runpy
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from search_runs import REPOSITORY


def call(*arguments: str, script: Path = REPOSITORY / "run.py") -> tuple[int, str, str]:
    """The exit code of a command, and what it writes to standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with _as_before(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv = [str(script), *arguments]
        try:
            runpy.run_path(str(script), run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _as_before() -> Iterator[None]:
    """Give back what a command takes for its own: arguments, Ctrl-C, garbage, Hydra and the loggers."""
    arguments, on_interrupt, root = sys.argv, signal.getsignal(signal.SIGINT), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        sys.argv = arguments
        signal.signal(signal.SIGINT, on_interrupt)
        gc.enable()
        GlobalHydra.instance().clear()
        root.handlers[:], root.level = handlers, level

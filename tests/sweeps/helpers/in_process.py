"""A command of the product within the test's own process, without the seconds that Python and torch take to start."""

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
    with _restored_state(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv = [str(script), *arguments]
        try:
            runpy.run_path(str(script), run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _restored_state() -> Iterator[None]:
    """Restore what a command changes: arguments, Ctrl-C, garbage collection, Hydra and the loggers."""
    arguments, on_interrupt, root = sys.argv, signal.getsignal(signal.SIGINT), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        sys.argv = arguments
        signal.signal(signal.SIGINT, on_interrupt)
        gc.enable()
        GlobalHydra.instance().clear()
        for handler in set(root.handlers) - set(handlers):
            handler.close()
        root.handlers[:], root.level = handlers, level

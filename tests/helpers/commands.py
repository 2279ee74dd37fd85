"""Commands within a test's process: how they end and what they print, without a new start of Python."""

import contextlib
import gc
import io
import logging
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig


@dataclass(frozen=True)
class Ended:
    """How a command ended, as subprocess.CompletedProcess has it."""

    returncode: int
    stdout: str
    stderr: str


def command(script: Path, *arguments: str, cwd: Path, joined: bool = False) -> Ended:
    """Run a script as `python SCRIPT ARGUMENTS` does; what it changes in this process is undone.

    The workers of a sweep are processes of their own all the same. That a process ends in the same way, is killed or
    gets Ctrl-C is tested by real ones.

    Args:
        joined: whether what goes to stderr is put into stdout, in the order in which it was printed.
    """
    out = io.StringIO()
    err = out if joined else io.StringIO()
    with _unchanged(), contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv[:] = [str(script), *arguments]
        try:
            runpy.run_path(str(script), run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except Exception:
            traceback.print_exc()
            code = 1
    return Ended(code, out.getvalue(), "" if joined else err.getvalue())


@contextlib.contextmanager
def without_product_configs() -> Iterator[None]:
    """Hide the typed configs of the product from Hydra, as in a program that does not import them.

    A worker gets what Hydra has, and imports it: half of its start.
    """
    repo = ConfigStore.instance().repo
    typed = repo["hydra"]["typed"]
    of_product = {name: node for name, node in repo.items() if getattr(node, "provider", None) == "spectral"}
    parts = {name: node for name, node in typed.items() if name != "sweep.yaml"}
    for name in of_product:
        del repo[name]
    for name in parts:
        del typed[name]
    try:
        yield  # what is registered meanwhile, such as plugins, stays
    finally:
        repo.update(of_product)
        typed.update(parts)


@contextlib.contextmanager
def _unchanged() -> Iterator[None]:
    """Give back what a command sets up for the whole process: Hydra's state, logging, the environment, Ctrl-C."""
    root, argv, on_interrupt = logging.getLogger(), list(sys.argv), signal.getsignal(signal.SIGINT)
    handlers, level, job = list(root.handlers), root.level, HydraConfig.instance().cfg
    GlobalHydra.instance().clear()
    # Hydra closes all handlers that it finds here, and some libraries' handlers then close the stderr of pytest.
    own: list[Any] = []
    try:
        with mock.patch.dict(os.environ), mock.patch.object(logging, "_handlerList", own):
            yield
    finally:
        logging.shutdown(own)
        HydraConfig.instance().cfg = job
        GlobalHydra.instance().clear()
        root.handlers[:], sys.argv[:] = handlers, argv
        root.setLevel(level)
        for logger in logging.Logger.manager.loggerDict.values():
            if isinstance(logger, logging.Logger):
                logger.disabled = False
        signal.signal(signal.SIGINT, on_interrupt)
        gc.enable()

"""Functions run in processes of their own, which have torch and the product imported when they begin."""

import multiprocessing
import multiprocessing.context
import os
import sys
import traceback
from collections.abc import Callable
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from killing import Kill, arm


def run_apart(function: Callable[..., None], *args: Any, output: Path, kill: Kill | None = None) -> int:
    """The exit status of a function in a process of its own: 0, 1 for an exception, or -9 if it was killed.

    Args:
        function: of a module, so that it can be named to the process.
        output: file to which stdout and stderr are written.
        kill: when to end the process.
    """
    process = _server().Process(target=_child, args=(function, args, str(output), kill))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


@cache
def _server() -> multiprocessing.context.ForkServerContext:
    """Start the process of which the others are copies. It looks for modules where the environment says, like any."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["warm"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context


def _child(function: Callable[..., None], args: tuple[Any, ...], output: str, kill: Kill | None) -> None:
    import warm  # noqa: F401  (a module that cannot be imported is no error of the server)

    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    try:
        if kill:
            arm(kill)
        function(*args)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)

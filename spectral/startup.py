"""Ctrl-C while a command still imports its parts: it ends in a word, as it does later on, and not in a traceback."""

import os
import signal
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED, STDERR = 130, 2


def end_on_interrupt() -> None:
    """Ctrl-C ends the process at once; to be called before anything else is imported, while there is nothing to lose.

    An exception would not do: it may be raised inside a library's import, which makes another of it.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_on_interrupt() -> None:
    """Ctrl-C raises KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    os.write(STDERR, b"stopped.\n")
    os._exit(EXIT_INTERRUPTED)

"""While a command still imports its parts: Ctrl-C ends it in a word, as it does later on, and nothing slows it down."""

import gc
import os
import signal
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED, STDERR = 130, 2


def begin_command() -> None:
    """To be called before anything else is imported, while there is nothing to lose: Ctrl-C ends the process at once.

    An exception would not do: it may be raised inside a library's import, which makes another of it.

    Garbage is not looked for until the first job begins, which calls `gc.enable`: all that is made so far is kept, and
    to look through it again and again costs a tenth of the time.
    """
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_on_interrupt() -> None:
    """Ctrl-C raises KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    os.write(STDERR, b"stopped.\n")
    os._exit(EXIT_INTERRUPTED)

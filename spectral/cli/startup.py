"""The start of a command, while it imports its modules: Ctrl-C prints one word, and garbage collection is off."""

import gc
import os
import signal
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED, STDERR = 130, 2


def begin_command() -> None:
    """Make Ctrl-C end the process at once. Call this before other imports, while no work can be lost.

    KeyboardInterrupt cannot be used here: a library that is being imported may turn it into another exception.

    Garbage collection is off until the first job begins, which calls `gc.enable`. Everything that is made before then
    is kept, and to search it for garbage again and again would cost a tenth of the time.
    """
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_on_interrupt() -> None:
    """Make Ctrl-C raise KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    os.write(STDERR, b"stopped.\n")
    os._exit(EXIT_INTERRUPTED)

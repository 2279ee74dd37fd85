"""Repeat calls of a storage that is locked, full or unavailable, until it answers or a time limit is reached."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sweeps.errors import first_line, user_error, user_error_type

log = logging.getLogger(__name__)

# Set when the command should end: then no call waits for a storage.
stop_waiting = threading.Event()
Result = TypeVar("Result")
# Errors that waiting cannot fix.
PERMANENT = (IsADirectoryError, NotADirectoryError, PermissionError)


def call_until_it_answers(call: Callable[[], Result], timeout_s: float) -> Result:
    """Call a function, and repeat it while the storage is locked, full or unavailable. Logs once that it waits.

    Raises:
        UserError: `timeout_s` has passed, or the command should end; at once if waiting cannot help.
    """
    deadline, pause_s, has_warned = time.monotonic() + timeout_s, 0.05, False
    while True:
        try:
            return call()
        except Exception as error:
            if not _may_pass(error):
                raise
            if isinstance(error, PERMANENT):
                raise user_error(
                    f"the storage of the study cannot be used ({first_line(error)}): fix it and give the same command "
                    "again."
                ) from error
            if stop_waiting.is_set() or time.monotonic() + pause_s > deadline:
                how_long = "when the command was stopped" if stop_waiting.is_set() else f"for {timeout_s:g} s"
                raise user_error(
                    f"the storage of the study did not answer {how_long} ({first_line(error)}): fix it and give the "
                    "same command again."
                ) from error
            if not has_warned:
                log.warning("The storage does not answer: waiting %g s for it (%s).", timeout_s, first_line(error))
                has_warned = True
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 1.0)


def _may_pass(error: BaseException | None) -> bool:
    """Whether an error of the file system or of a database connection may go away after a while."""
    if isinstance(error, user_error_type()):  # raised after waiting
        return False
    while error is not None:
        if isinstance(error, OSError) or type(error).__name__ in ("OperationalError", "InterfaceError"):
            return True
        error = error.__cause__
    return False

"""Ctrl-C: once drains the sweep, twice stops it; a request to terminate stops it at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sweeps.storage.retrying import stop_waiting


class Interrupts:
    """How often the sweep was asked to end.

    Args:
        tell: called with a line for the user.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.draining = self.stopping = False
        # A launcher that runs whole batches blocks: it can only be stopped by an exception.
        self.in_batch = False

    def _on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self.draining:
            self._stop()
        else:
            self.draining = True
            self._tell("Ctrl-C: no new jobs; those that run may finish. Again to stop them.")

    def _on_terminate(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self.draining = self.stopping = True
        stop_waiting.set()
        if self.in_batch:
            raise KeyboardInterrupt

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals while the block runs; outside the main thread, where Python has none, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {signal.SIGINT: self._on_interrupt, signal.SIGTERM: self._on_terminate}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            stop_waiting.clear()
            for number, handler in before.items():
                signal.signal(number, handler)

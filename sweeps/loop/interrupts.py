"""Ctrl-C: the first lets running jobs finish, the second stops them; SIGTERM and SIGHUP stop them at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sweeps.storage.retrying import stop_waiting


class Interrupts:
    """Whether the user asked the sweep to end, and how often.

    Args:
        say: called with each line for the user.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.draining = self.stopping = False
        # A launcher of whole batches blocks: only an exception can stop it.
        self.in_batch = False

    def _on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self.draining:
            self._stop()
        else:
            self.draining = True
            self._say("Ctrl-C: no new jobs start, running jobs may finish. Press Ctrl-C again to stop them.")

    def _on_terminate(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self.draining = self.stopping = True
        stop_waiting.set()
        if self.in_batch:
            raise KeyboardInterrupt

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals while the block runs. No effect outside the main thread, where Python cannot catch them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {signal.SIGINT: self._on_interrupt, signal.SIGTERM: self._on_terminate}
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
            handlers[signal.SIGHUP] = self._on_terminate
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            stop_waiting.clear()
            for number, handler in before.items():
                signal.signal(number, handler)

"""How far predictions are: a bar on a terminal, a line every tenth of the way elsewhere."""

import logging
import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from spectral.terminal import Terminal

log = logging.getLogger(__name__)


class PredictionProgress:
    """Counts spectra while the block lasts.

    Args:
        num_rows: spectra in all.
        num_done: of them classified before; they do not count for the speed.
    """

    def __init__(self, num_rows: int, num_done: int) -> None:
        self.num_rows, self.num_done, self.num_before = num_rows, num_done, num_done
        self.start_s = time.monotonic()
        console = Terminal(stderr=True)
        columns = (TextColumn("classifying"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"))
        self._bars = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
        self._has_bar = console.is_terminal

    def __enter__(self) -> Self:
        if self._has_bar:
            self._bars.start()
            self._task = self._bars.add_task("", total=self.num_rows, completed=self.num_done, speed="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    @property
    def per_s(self) -> float:
        """Spectra a second, of those that were classified since the start."""
        return (self.num_done - self.num_before) / max(time.monotonic() - self.start_s, 1e-9)

    def advance(self, num: int) -> None:
        """Say that so many more spectra are classified."""
        self.reach(self.num_done + num)

    def reach(self, num_done: int) -> None:
        """Say that so many spectra are classified by now."""
        tenths = 10 * self.num_done // self.num_rows
        self.num_done = num_done
        if self._has_bar:
            self._bars.update(self._task, completed=num_done, speed=f"{self.per_s:,.0f} spectra/s")
        elif 10 * num_done // self.num_rows > tenths:
            left_s = (self.num_rows - num_done) / max(self.per_s, 1e-9)
            done = f"{num_done:,} of {self.num_rows:,}"
            log.info("Classified %s spectra, %s a second, %s left.", done, f"{self.per_s:,.0f}", in_words(left_s))


def in_words(seconds: float) -> str:
    """A time in whole seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"

"""How far a command is with its spectra: a bar on a terminal, a line every tenth of the way elsewhere."""

import logging
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from spectral.terminal import Terminal, printed_above

log = logging.getLogger(__name__)


class SpectraProgress:
    """Counts spectra while the block lasts.

    Args:
        doing: what is done to them, as "packing".
        done: the same when it has been done, as "Packed".
        num_rows: spectra in all.
        num_done: of them done before; they do not count for the speed.
        visible: false: nothing is shown.
    """

    def __init__(self, doing: str, done: str, num_rows: int, num_done: int, visible: bool = True) -> None:
        self.done, self.num_rows, self.num_done, self.num_before = done, num_rows, num_done, num_done
        self.start_s = time.monotonic()
        self._console, self._visible = Terminal(stderr=True), visible
        columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"))
        self._bars = Progress(
            *columns,
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._has_bar = visible and self._console.is_terminal
        self._drawn = ExitStack()

    def __enter__(self) -> Self:
        if self._has_bar:
            self._drawn.enter_context(self._bars)
            self._drawn.enter_context(printed_above(self._console))
            self._task = self._bars.add_task("", total=self.num_rows, completed=self.num_done, speed="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drawn.close()

    @property
    def per_s(self) -> float:
        """Spectra a second, of those that were done since the start."""
        return (self.num_done - self.num_before) / max(time.monotonic() - self.start_s, 1e-9)

    def advance(self, num: int) -> None:
        """Say that so many more spectra are done."""
        self.reach(self.num_done + num)

    def reach(self, num_done: int) -> None:
        """Say that so many spectra are done by now."""
        tenths = 10 * self.num_done // self.num_rows
        self.num_done = num_done
        if self._has_bar:
            self._bars.update(self._task, completed=num_done, speed=f"{self.per_s:,.0f} spectra/s")
        elif self._visible and 10 * num_done // self.num_rows > tenths:
            left_s = (self.num_rows - num_done) / max(self.per_s, 1e-9)
            done = f"{num_done:,} of {self.num_rows:,}"
            log.info("%s %s spectra, %s a second, %s left.", self.done, done, f"{self.per_s:,.0f}", in_words(left_s))


def in_words(seconds: float) -> str:
    """A time in whole seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"

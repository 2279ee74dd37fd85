"""Progress of packing: a bar on a terminal, a line every tenth of the way elsewhere."""

import logging
from collections.abc import Iterable, Iterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from spectral.data.packing.parts import Span
from spectral.terminal import Terminal, printed_above

log = logging.getLogger(__name__)


def counted(finished: Iterable[Span], num_done: int, num_rows: int, visible: bool) -> Iterator[Span]:
    """Pass spans on as they are finished, and show how many of `num_rows` spectra are done."""
    console = Terminal(stderr=True)
    if not visible:
        yield from finished
    elif console.is_terminal:
        columns = (TextColumn("packing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        drawn = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        with drawn as bars, printed_above(console):
            task = bars.add_task("packing", total=num_rows, completed=num_done)
            for start, stop in finished:
                bars.advance(task, stop - start)
                yield start, stop
    else:
        yield from _in_lines(finished, num_done, num_rows)


def _in_lines(finished: Iterable[Span], num_done: int, num_rows: int) -> Iterator[Span]:
    for start, stop in finished:
        tenths = 10 * num_done // num_rows
        num_done += stop - start
        if 10 * num_done // num_rows > tenths:
            log.info("Packed %s of %s spectra.", f"{num_done:,}", f"{num_rows:,}")
        yield start, stop

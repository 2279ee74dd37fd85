"""Progress of training: a live bar on a terminal, one line per epoch elsewhere."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from spectral.terminal import printed_above


class Progress:
    """The progress of the training loop, shown on a console."""

    def __init__(self, console: Console, objective: str) -> None:
        self._console, self._objective = console, objective
        self._bars: Bars | None = None
        self._epochs = self._steps = TaskID(0)
        self._num_epochs = self._num_skipped = 0
        self._started_s = 0.0

    @contextmanager
    def running(self, num_epochs: int) -> Iterator[None]:
        """Show `num_epochs` epochs in all while the block runs."""
        self._num_epochs, self._started_s = num_epochs, time.monotonic()
        if not self._console.is_terminal:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        bars = Bars(
            *columns,
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with bars as self._bars, printed_above(self._console):
            self._epochs = self._bars.add_task("epochs", total=num_epochs)
            self._steps = self._bars.add_task("steps", total=None)
            yield
        self._bars = None

    def skip_epochs(self, num_epochs: int) -> None:
        """These were done before the run was stopped."""
        self._num_skipped = num_epochs
        if self._bars:
            self._bars.update(self._epochs, completed=num_epochs)

    def begin_epoch(self, stage: str, epoch: int, num_steps: int) -> None:
        if self._bars:
            self._bars.reset(self._steps, total=num_steps, description=f"{stage}, epoch {epoch}")

    def end_step(self) -> None:
        if self._bars:
            self._bars.advance(self._steps)

    def end_epoch(self, row: Mapping[str, Any]) -> None:
        if self._bars:
            self._bars.advance(self._epochs)
        shown = {"train/loss": row["train/loss"]} | {k: row[k] for k in (self._objective,) if k in row}
        figures = "  ".join(f"{name} {value:.4f}" for name, value in shown.items())
        speed = f"{row['time/train_spectra_per_s']:.0f} spectra/s"
        self._console.print(
            f"epoch {row['epoch']:>3}/{self._num_epochs}  {row['stage']}  {figures}  {speed}{self._left(row['epoch'])}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def _left(self, epoch: int) -> str:
        """How long the epochs after this one take, at the pace of those since the start."""
        num_left, num_done = self._num_epochs - epoch, epoch - self._num_skipped
        left_s = num_left * (time.monotonic() - self._started_s) / max(num_done, 1)
        return f"  {timedelta(seconds=round(left_s))} left" if num_left else ""

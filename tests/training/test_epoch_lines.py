"""The line that each epoch prints."""

import io

import pytest
from rich.console import Console

from spectral.training import progress as progress_module
from spectral.training.progress import Progress

ROW = {"stage": "train", "train/loss": 0.5, "val/macro_f1": 0.75, "time/train_spectra_per_s": 300.4}


class Clock:
    """The module time, moved by hand."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def test_the_line_of_an_epoch_gives_the_time_left(clock: Clock) -> None:
    out = io.StringIO()
    progress = Progress(Console(file=out, width=200), "val/macro_f1")
    with progress.running(5):
        progress.skip_epochs(2)  # of an earlier start: they do not count in the time of this one
        for epoch in (3, 4, 5):
            clock.now_s += 40
            progress.end_epoch({"epoch": epoch, **ROW})
    assert out.getvalue().splitlines() == [
        "epoch   3/5  train  train/loss 0.5000  val/macro_f1 0.7500  300 spectra/s  0:01:20 left",
        "epoch   4/5  train  train/loss 0.5000  val/macro_f1 0.7500  300 spectra/s  0:00:40 left",
        "epoch   5/5  train  train/loss 0.5000  val/macro_f1 0.7500  300 spectra/s",
    ]

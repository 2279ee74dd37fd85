"""Which epoch of a run is its best one."""

from pathlib import Path

import pytest
from small_runs import StoppedError, stop_after
from trainer_bench import Bench


@pytest.mark.parametrize("stopped_after", [None, 2, 3])
def test_the_values_of_two_losses_are_not_compared(stopped_after: int | None, tmp_path: Path) -> None:
    """A second loss with larger values; the run is stopped, and resumed, before and after its first epoch."""
    larger = {"epochs": 2, "lr": 0.03, "scale": 10.0, "start": "best", "changes_loss": True}

    def bench() -> Bench:
        return Bench(tmp_path, {"epochs": 2, "lr": 0.3}, larger, objective="train/loss")

    if stopped_after:
        with pytest.raises(StoppedError):
            bench().trainer.fit(stop_after(stopped_after))
    last = bench()
    losses = [row["train/loss"] for row in last.fit()]
    best = min(losses[2:])
    assert min(losses[:2]) < best
    assert last.trainer.best_epoch == losses.index(best) + 1 and last.trainer.best_score == best

"""The epoch whose weights a run keeps, by its rows: as the trainer chooses it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_runs

from sweeps.compare.unfinished import scores_of_kept_epoch
from sweeps.ls.runs import read_run
from sweeps.results.kept_epoch import kept_row
from sweeps.results.run import Run

LOSS, F1 = "train/loss", "val/macro_f1"
ONE_STAGE = {"schedule": {"stages": [{"name": "a"}]}}
FOCAL, CROSS = {"name": "focal"}, {"name": "cross_entropy"}


def kept(config: dict[str, Any], objectives: list[str], *rows: dict[str, Any], keeps_last: bool = False) -> int | None:
    """The epoch of the row that is kept."""
    numbered = [{"epoch": k + 1, "stage": "a"} | row for k, row in enumerate(rows)]
    found = kept_row(numbered, config, objectives, keeps_last)
    return None if found is None else found["epoch"]


def test_the_best_of_the_first_objective_is_kept_and_of_equal_ones_the_last() -> None:
    scores = [{F1: 0.5, LOSS: 2.0}, {F1: 0.7, LOSS: 1.0}, {F1: 0.7, LOSS: 1.0}, {F1: 0.6, LOSS: 3.0}, {F1: 0.9}]
    assert kept(ONE_STAGE, [F1], *scores[:4]) == 3 == kept(ONE_STAGE, [LOSS], *scores)
    assert kept(ONE_STAGE, [F1, LOSS], *scores) == 3  # the last epoch has but one of the two
    assert kept(ONE_STAGE, [F1], *scores, keeps_last=True) == 5
    assert kept(ONE_STAGE, [F1, LOSS], *scores, keeps_last=True) == 4
    assert kept(ONE_STAGE, ["val/accuracy"], *scores) is None and kept({}, [F1]) is None


@pytest.mark.parametrize(
    ("losses", "objective", "epoch"),
    [
        ((None, CROSS, None), LOSS, 6),  # the last stage has the first one's loss, but not its weights
        ((None, CROSS, CROSS), LOSS, 3),
        ((None, FOCAL, FOCAL), LOSS, 1),  # the same, by its name
        ((None, None, None), LOSS, 1),
        ((None, CROSS, CROSS), F1, 2),  # a score is the same under any loss
    ],
)
def test_values_of_two_losses_are_not_compared(losses: tuple[Any, ...], objective: str, epoch: int) -> None:
    stages = [{"name": name, "loss": loss} for name, loss in zip("abc", losses, strict=True)]
    config = {"loss": FOCAL, "schedule": {"stages": stages}}
    values, scores = [0.1, 0.2, 1.0, 1.1, 1.3, 1.2], [0.1, 0.9, 0.2, 0.3, 0.4, 0.5]
    rows = [{"stage": s, LOSS: loss, F1: f1} for s, loss, f1 in zip("aabbcc", values, scores, strict=True)]
    assert kept(config, [objective], *rows) == epoch
    before = [row for row in rows if row["stage"] == "a"]
    assert kept(config, [objective], *before) == (1 if objective == LOSS else 2)


def test_a_config_without_stages_has_one_loss() -> None:
    for config in ({}, {"schedule": None}, {"schedule": {"stages": [3, {"epochs": 2}]}}):
        assert kept(config, [LOSS], {LOSS: 0.1}, {LOSS: 0.2, "stage": "b"}) == 1


def test_it_is_the_epoch_that_the_trainer_keeps(small: Callable[..., list[str]], tmp_path: Path) -> None:
    """Two losses of a real run. The second is never below the entropy of its smooth labels, 1.089."""
    first = {"name": "one", "epochs": 3, "steps": 10, "loss": "{name:cross_entropy}"}
    second = {"name": "two", "epochs": 2, "steps": 2, "loss": "{name:cross_entropy,label_smoothing:0.9}"}
    small_runs.run(small("objective=train/loss", small_runs.stages(first, second)))
    run = Run(tmp_path / "run")
    result, rows = small_runs.result(run.path), run.metrics
    assert min(row[LOSS] for row in rows[:3]) < 1.08 < min(row[LOSS] for row in rows[3:])
    found = kept_row(rows, run.config, [LOSS], run.keeps_last)
    assert found is not None and found["epoch"] == result["best_epoch"] > 3
    (run.path / "result.json").unlink()
    assert scores_of_kept_epoch(Run(run.path))["best_epoch"] == result["best_epoch"]
    entry = read_run(run.path)
    assert (entry.values, entry.status) == ([found[LOSS]], "stopped")


def test_the_list_shows_the_last_of_equally_good_epochs(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"objective: [{F1}, {LOSS}]\nschedule: {{stages: [{{epochs: 3}}]}}\n")
    rows = [{"epoch": k, F1: f1, LOSS: loss} for k, f1, loss in ((1, 0.5, 3.0), (2, 0.5, 2.0), (3, 0.4, 1.0))]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_run(tmp_path).values == [0.5, 2.0]
    assert scores_of_kept_epoch(Run(tmp_path))["best_epoch"] == 2

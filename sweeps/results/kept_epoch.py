"""Which epoch of a run without a result is kept, by its rows alone: the rule of spectral/training/trainer.py."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from sweeps.objective import natural_direction

TRAINING_LOSS = "train/loss"

Row = Mapping[str, Any]


def kept_row(rows: Sequence[Row], config: Mapping[str, Any], objectives: Sequence[str], keeps_last: bool) -> Row | None:
    """The row of the epoch whose weights are kept so far; None if no epoch has all objectives.

    It is the best one by the first objective, of equally good ones the last. Values of two losses are not compared: by
    train/loss it is the best one since the loss changed.

    Args:
        rows: of metrics.jsonl.
        keeps_last: the last row is wanted in place of the best one, as with `schedule.keep=last`.
    """
    latest_first = [row for row in reversed(rows) if all(name in row for name in objectives)]
    if not latest_first or keeps_last:
        return latest_first[0] if latest_first else None
    first = objectives[0]
    if first == TRAINING_LOSS:
        losses = _loss_by_stage(config)
        of_last = losses.get(latest_first[0].get("stage"))
        latest_first = list(takewhile(lambda row: losses.get(row.get("stage")) == of_last, latest_first))
    choose = min if natural_direction(first) == "minimize" else max
    return choose(latest_first, key=lambda row: float(row[first]))


def _loss_by_stage(config: Mapping[str, Any]) -> dict[Any, Any]:
    """The loss of each stage by the stage's name, as the config has it; empty if the config names no stages."""
    schedule = config.get("schedule")
    stages = schedule.get("stages") if isinstance(schedule, Mapping) else None
    named = [stage for stage in stages if isinstance(stage, Mapping)] if isinstance(stages, list) else []
    return {stage.get("name"): stage.get("loss") or config.get("loss") for stage in named}

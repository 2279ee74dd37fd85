"""A trial as a row of tables and exports."""

import json
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.results.run_dirs import folder_of
from sweeps.space.values import text
from sweeps.study.attributes import ATTEMPTS, CONFIGURATION, REASON, RETRY_OF, REUSED_FROM, SPREAD
from sweeps.study.job_records import seconds_of
from sweeps.study.paused import state_name


def configuration(trial: FrozenTrial) -> dict[str, Any]:
    """The configuration of a trial, axis -> value; empty if the trial has not begun."""
    loaded: dict[str, Any] = json.loads(trial.user_attrs.get(CONFIGURATION, "{}"))
    return loaded


def shown(value: Any) -> str:
    """A value for a table: as in an override, but floats with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else text(value)


def duration(seconds: float | None) -> str:
    """A time in two units at most, rounded before it is divided into them; a dash if it is not known."""
    if seconds is None:
        return "-"
    tenths = round(max(seconds, 0.0), 1)
    if tenths < 60:
        return f"{tenths:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def seconds(trial: FrozenTrial) -> float | None:
    """The total time of a trial's jobs in seconds; None if none has ended."""
    return seconds_of(trial.user_attrs)


def row(trial: FrozenTrial, objectives: list[str], axes: list[str], folder: Path | None) -> dict[str, Any]:
    """One row: number, state, objectives, axes, seconds, run folder, reason; None for a missing value.

    `value_of` says what the objectives are of: result, or of a pruned trial the last step that it reported, as in
    Optuna. A step is an epoch, or a seed if the pruner compares seeds.

    Args:
        folder: of the study, which may have been moved or copied; None if it has none.
    """
    run_dir = folder_of(trial.user_attrs, folder)
    values, chosen, attributes = trial.values or [None] * len(objectives), configuration(trial), trial.user_attrs
    return {
        "number": trial.number,
        "state": state_name(trial),
        **dict(zip(objectives, values, strict=True)),
        "value_of": _value_of(trial),
        **{f"{name} spread": attributes.get(SPREAD, [None] * len(objectives))[i] for i, name in enumerate(objectives)},
        **{axis: chosen.get(axis) for axis in axes},
        "seconds": seconds(trial),
        "attempts": attributes.get(ATTEMPTS),
        "reused_from": attributes.get(REUSED_FROM),
        RETRY_OF: attributes.get(RETRY_OF),
        "run_dir": None if run_dir is None else str(run_dir),
        "reason": attributes.get(REASON) or None,
    }


def _value_of(trial: FrozenTrial) -> str | None:
    if not trial.values:
        return None
    return "result" if trial.state == TrialState.COMPLETE else f"step {trial.last_step}"


def axes_of(trials: list[FrozenTrial]) -> list[str]:
    """All axes of the trials, in the order of their first use."""
    return list(dict.fromkeys(axis for trial in trials for axis in configuration(trial)))

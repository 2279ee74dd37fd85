"""What an earlier version called or did otherwise: still read as it was meant from what is stored.

On the command line an old name is refused, with the new one.
"""

from collections.abc import Mapping
from typing import Any

# The end of a key, and its values: old name -> new name.
VALUES: Mapping[str, Mapping[str, str]] = {
    "loss.form": {"log_mean": "log_of_mean", "mean_log": "mean_of_logs"},
}

# What the lack of a top-level key meant to the versions without it, if that was not today's default.
WITHOUT_KEY: Mapping[str, Any] = {
    "inputs": {"masked_pixels": "zero"},  # 0.1 had no choice
    "kernel": "torch",  # before 0.3 there was no other: a run that is resumed keeps it
}

# Defaults that have changed, the former and today's: a run that began with the former one keeps it.
CHANGED_DEFAULTS: Mapping[str, tuple[Any, Any]] = {
    "lr_schedule.patience_epochs": (10, 2),  # 0.1 waited longer than the default stage lasts
}

# Options that 0.1 had otherwise by default: group and name -> options.
OF_0_1: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("optimizer", "adam"): {"lr": 3e-3},
    ("optimizer", "sgd"): {"lr": 0.1},
    ("lr_schedule", "cosine"): {"warmup_fraction": 0.0},
    ("lr_schedule", "plateau"): {"patience_epochs": 10},
}


def with_stages_of_0_1(config: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """A config whose stages mean what they meant to the version that stored the config of a network's run."""
    schedule = config.get("schedule")
    if "inputs" in stored or not isinstance(schedule, Mapping) or not isinstance(schedule.get("stages"), list):
        return {**config}  # 0.1 stored no inputs
    stages = [_stage_of_0_1(stage) if isinstance(stage, Mapping) else stage for stage in schedule["stages"]]
    return {**config, "schedule": {**schedule, "stages": stages}}


def _stage_of_0_1(stage: Mapping[str, Any]) -> dict[str, Any]:
    """A stage whose optimizer and lr_schedule, given by name or with some options, have the other options of 0.1."""
    parts = {}
    for (group, name), options in OF_0_1.items():
        part = stage.get(group)
        part = {"name": part} if isinstance(part, str) else part
        if isinstance(part, Mapping) and part.get("name") == name:
            own = {key: value for key, value in options.items() if stage.get(key) is None}  # a stage may have its lr
            parts[group] = {**own, **part}
    return {**stage, **parts}


def renamed(value: Any, key: str = "") -> Any:
    """A stored value under today's names; of a mapping or a list all that it holds.

    Args:
        key: dotted, where the value stands in the config. The elements of a list have the key of the list.
    """
    if isinstance(value, Mapping):
        return {name: renamed(inner, f"{key}.{name}" if key else str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, key) for inner in value]
    return new_name(key, value) or value


def may_have_old_name(text: str) -> bool:
    """Whether an old name is somewhere in a text, such as an override: quick, and false for almost all of them."""
    return any(old in text for names in VALUES.values() for old in names)


def new_name(key: str, value: Any) -> str | None:
    """Today's name of a value; None if it has not changed."""
    names = next((names for end, names in VALUES.items() if f".{key}".endswith(f".{end}")), {})
    return names.get(value) if isinstance(value, str) else None

"""What had another name in an earlier version: still read by it from what is stored, refused on the command line."""

from collections.abc import Mapping
from typing import Any

# The end of a key, and its values: old name -> new name.
VALUES: Mapping[str, Mapping[str, str]] = {
    "loss.form": {"log_mean": "log_of_mean", "mean_log": "mean_of_logs"},
}


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


def new_name(key: str, value: Any) -> str | None:
    """Today's name of a value; None if it has not changed."""
    names = next((names for end, names in VALUES.items() if f".{key}".endswith(f".{end}")), {})
    return names.get(value) if isinstance(value, str) else None

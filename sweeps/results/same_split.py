"""Whether trials are scored on the same spectra: a group that is searched, such as experiment, may bring a split."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweeps.errors import user_error_type
from sweeps.results.run import Run
from sweeps.space.values import canonical

SPLIT = "split"
DIFFERENT = (
    "The trials have different splits, so their scores are not of the same spectra: to compare them give all one "
    "split, as by split=stratified."
)


def different_splits(trials: Iterable[tuple[Mapping[str, Any], Sequence[Run]]]) -> str:
    """The sentence that trials have different splits; empty if they have not, or if their runs name none.

    Args:
        trials: configuration and runs of each. Of those with the same groups and keys of the split, one is read.
    """
    by_choice = {canonical(_choice(configuration)): runs for configuration, runs in trials}
    if len(by_choice) < 2:
        return ""
    splits: dict[int, set[str]] = defaultdict(set)  # by seed or fold: another fold is another split by design
    for runs in by_choice.values():
        if split := _split_of(runs):
            splits[runs[0].seed_index].add(canonical(split))
    return DIFFERENT if any(len(found) > 1 for found in splits.values()) else ""


def _choice(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configuration.items() if "." not in name or name.startswith(f"{SPLIT}.")}


def _split_of(runs: Sequence[Run]) -> Any:
    """The node `split` of the first run's config; None if there is none, or it cannot be read."""
    try:
        return runs[0].config.get(SPLIT) if runs else None
    except user_error_type():  # whoever needs the config says so
        return None

"""A run folder as a row of the list; docs/run-folder.md describes its files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sweeps.errors import user_error
from sweeps.ls.entry import Entry
from sweeps.results.earlier_results import is_of_rule
from sweeps.results.kept_epoch import kept_row
from sweeps.results.run import keeps_last
from sweeps.results.run_files import load_metrics, load_result
from sweeps.results.run_status import last_change_s, unfinished_status

# PyYAML's parser in C, if it is installed, reads a config in 2 ms instead of 20 ms.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

BEST_EPOCH, LAST_EPOCH, ONLY_FIT, AVERAGE = "best epoch", "last epoch", "only fit", "average"


def is_run(folder: Path) -> bool:
    return (folder / "config.yaml").is_file()


def read_run(folder: Path) -> Entry:
    """Read the run in a folder. Raises any error of its files."""
    config = yaml.load((folder / "config.yaml").read_bytes(), Loader)
    has_epochs = "method" not in config  # a classical method
    num_epochs = _planned_epochs(config, folder / "config.yaml") if has_epochs else None
    result = load_result(folder / "result.json")
    named = result.get("objective") or config["objective"]
    objectives = [named] if isinstance(named, str) else [str(name) for name in named]
    # Version 0.1 had the scores of a fitted rule under the names of argmax: the epochs have those of argmax.
    by_epochs = not result or is_of_rule(result, config)
    rows = load_metrics(folder / "metrics.jsonl") if by_epochs else []
    members = (result.get("ensemble") or {}).get("members")
    status = "finished" if result else unfinished_status(folder)
    is_last = status in ("pruned", "paused") or keeps_last(config)
    return Entry(
        folder.name,
        "ensemble" if members else _kind(config),
        status,
        len(members) if members else result.get("num_epochs", 0) if result else len(rows),
        None if members else num_epochs,
        objectives,
        _values(kept_row(rows, config, objectives, is_last) if by_epochs else result, objectives),
        AVERAGE if members else ONLY_FIT if not has_epochs else LAST_EPOCH if is_last else BEST_EPOCH,
        last_change_s(folder),
        folder,
    )


def _kind(config: Any) -> str:
    if "method" in config:
        return "baseline"
    return "pretraining" if "masked_fraction" in config else "run"


def _planned_epochs(config: Any, path: Path) -> int:
    """Of all stages. Raises UserError if the config does not say."""
    try:
        return sum(int(stage["epochs"]) for stage in config["schedule"]["stages"])
    except (KeyError, TypeError, ValueError) as error:
        raise user_error(f"{path} cannot be read: schedule.stages names no epochs.") from error


def _values(row: Mapping[str, Any] | None, objectives: list[str]) -> list[float] | None:
    return [row[name] for name in objectives] if row and all(name in row for name in objectives) else None

"""A run folder as a line of the list; docs/run-folder.md names its files."""

from pathlib import Path
from typing import Any

import yaml

from sweeps.errors import user_error
from sweeps.ls.entry import Entry
from sweeps.results.run_files import load_metrics, load_result
from sweeps.results.run_status import _changed_s, unfinished_status

# The parser in C, where PyYAML has it, reads a config in 2 ms instead of 20.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_run(folder: Path) -> bool:
    return (folder / "config.yaml").is_file()


def read_run(folder: Path) -> Entry:
    """The run of a folder. Any error of its files is raised."""
    config = yaml.load((folder / "config.yaml").read_bytes(), Loader)
    num_epochs = _planned_epochs(config, folder / "config.yaml")
    result = load_result(folder / "result.json")
    named = result.get("objective") or config["objective"]
    objectives = [named] if isinstance(named, str) else [str(name) for name in named]
    rows = [] if result else load_metrics(folder / "metrics.jsonl")
    return Entry(
        folder.name,
        "run",
        "finished" if result else unfinished_status(folder),
        result["num_epochs"] if result else len(rows),
        num_epochs,
        objectives,
        _best(result, rows, objectives),
        _changed_s(folder),
        folder,
    )


def _planned_epochs(config: Any, path: Path) -> int:
    """Of all stages. Raises UserError if the config does not say."""
    try:
        return sum(int(stage["epochs"]) for stage in config["schedule"]["stages"])
    except (KeyError, TypeError, ValueError) as error:
        raise user_error(f"{path} cannot be read: schedule.stages names no epochs.") from error


def _best(result: dict[str, Any], rows: list[dict[str, Any]], objectives: list[str]) -> list[float] | None:
    """The objectives of the result, or of the best epoch so far by the first one."""
    from sweeps.objective import natural_direction

    rows = [row for row in [result, *rows] if all(name in row for name in objectives)]
    if not rows:
        return None
    sign = 1 if natural_direction(objectives[0]) == "minimize" else -1
    best = min(rows, key=lambda row: sign * row[objectives[0]])
    return [best[name] for name in objectives]

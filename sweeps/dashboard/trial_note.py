"""The note on a trial that has ended, in Markdown: how it ended, where its run is, and how to run it again."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from sweeps.invocation import DEFAULT, lines_of_command
from sweeps.results.run import Run
from sweeps.results.trial_command import overrides_alone, which_seed
from sweeps.study.attributes import OVERRIDES, REASON, TRACEBACK
from sweeps.study.paused import state_name

TRACKER = "tracker.json"
TRACKERS = {"wandb": "Weights & Biases", "mlflow": "MLflow"}  # key in TRACKER -> name to show


def trial_note(
    trial: FrozenTrial,
    run_folders: Sequence[Path],
    program: Sequence[str] | None,
    seed_key: str = "seed",
    seeds: Sequence[Any] = (),
) -> str:
    """The note as Markdown.

    Args:
        run_folders: of the trial: one, or one per seed; empty if they are gone.
        program: the command that starts the sweep's program; None for studies that do not store it.
        seed_key: `sweep.seed_key`.
        seeds: that every trial of the study is run with; empty if each is a single run.
    """
    attributes = trial.user_attrs
    reason = attributes.get(REASON)
    parts = [f"**{state_name(trial)}**" + (f": {_code(reason)}" if reason else "")]
    parts += [_run_lines(run_folders) or "The run folder is gone."]
    if OVERRIDES in attributes:
        overrides = overrides_alone(attributes, seed_key, [Run(folder) for folder in run_folders], seeds)
        parts.append(f"```\n{lines_of_command(program or DEFAULT, overrides)}\n```")
        parts += filter(None, [which_seed(attributes, seed_key)])
    if TRACEBACK in attributes:
        parts.append(f"```\n{attributes[TRACEBACK].rstrip()}\n```")
    return "\n\n".join(parts)


def _run_lines(run_folders: Sequence[Path]) -> str:
    lines = []
    for folder in run_folders:
        lines.append(f"- run folder {_code(str(folder))}")
        lines += [f"- [{name}]({url})" for name, url in _pages(folder)]
    return "\n".join(lines)


def _pages(folder: Path) -> Iterator[tuple[str, str]]:
    """The web pages of the run: the name of each tracker that has it on a server, and its URL there."""
    with suppress(OSError, ValueError, AttributeError):  # there is no record, or it is not ours
        records = json.loads((folder / TRACKER).read_text(encoding="utf-8"))
        for key, name in TRACKERS.items():
            url = records.get(key, {}).get("url")
            if isinstance(url, str) and url.startswith(("https://", "http://")):
                yield name, url


def _code(text: str) -> str:
    """Markdown that shows a text literally."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"

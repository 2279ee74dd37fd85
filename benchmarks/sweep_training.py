"""The time to the same best score on real training, one side pruning; a part of sweep_engine.py."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import fmean

from sweep_commands import REPOSITORY, RUN, Configurations, Timed, listed, ours, theirs

OBJECTIVE = "val/macro_f1"
# Chosen on other configurations than these: docs/lab-notebook.md, 2026-11-25.
PRUNING = ["sweep.pruner=asha", "sweep.pruning.reduction_factor=2", "sweep.sampler=random"]
HEAD = (
    "| order | best score | to the best score, ours | theirs | ratio | whole command, ours | theirs | ratio |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One order of the configurations: seconds to the best score, infinite where it was pruned, and of the command."""

    order: int
    best: float
    found_s: float
    other_found_s: float
    wall_s: float
    other_wall_s: float

    def __str__(self) -> str:
        found = f"{self.found_s:.1f} s" if isfinite(self.found_s) else "never: pruned"
        return (
            f"| {self.order} | {self.best:.4f} | {found} | {self.other_found_s:.1f} s "
            f"| {self.found_s / self.other_found_s:.2f} | {self.wall_s:.1f} s | {self.other_wall_s:.1f} s "
            f"| {self.wall_s / self.other_wall_s:.2f} |"
        )


def training_table(folder: Path, num_configurations: int, num_orders: int, num_epochs: int) -> Iterator[str]:
    """The same configurations in several orders: how soon each side has the best score that any of them reaches."""
    values = ["experiment=debug", "num_threads=1", "data.num_spectra=1500", f"cache_dir={folder / 'surveys'}"]
    values += [f"schedule.stages.0.epochs={num_epochs}", "schedule.stages.0.steps=10", "schedule.batch_size=16"]
    values += ["tracker=none", "plots=false"]  # what a pruned run leaves out
    _pack(folder, values)
    drawn = _draw(num_configurations)
    yield HEAD
    found = []
    for order in range(num_orders):
        configurations = random.Random(order).sample(drawn, len(drawn))
        row = _compare(folder, order, configurations, values)
        yield str(row)
        found.append(row)
    reached = [row for row in found if isfinite(row.found_s)]
    if reached:
        mean, other_mean = fmean(row.found_s for row in reached), fmean(row.other_found_s for row in reached)
        name = f"mean of the {len(reached)} of {num_orders} where ours has it"
        yield f"| {name} | | {mean:.1f} s | {other_mean:.1f} s | {mean / other_mean:.2f} | | | |"


def _pack(folder: Path, values: list[str]) -> None:
    """Make the survey, which both sides then find."""
    command = [sys.executable, str(RUN), *values, "schedule.stages.0.epochs=1", f"run_dir={folder / 'pack'}"]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)


def _draw(num: int) -> Configurations:
    draw = random.Random(0)
    return [
        {"optimizer.lr": float(f"{10 ** draw.uniform(-5, -1):.2e}"), "model.width": draw.choice([4, 6, 8])}
        for _ in range(num)
    ]


def _compare(folder: Path, order: int, configurations: Configurations, values: list[str]) -> Row:
    theirs_in, ours_in = folder / f"theirs-{order}", folder / f"ours-{order}"
    other = theirs(RUN, theirs_in, configurations, "sweep=none", *values)
    mine = ours(RUN, ours_in, *listed(configurations), *values, *PRUNING)
    best = max(score for _, score in _scores(theirs_in))
    found = [_found_s(run, command, best) for run, command in ((ours_in, mine), (theirs_in, other))]
    return Row(order, best, *found, mine.wall_s, other.wall_s)


def _found_s(folder: Path, command: Timed, best: float) -> float:
    """Seconds from the command's start to the end of the first trial with the best score; infinite if there is none."""
    return min((at - command.start for at, score in _scores(folder) if score >= best), default=float("inf"))


def _scores(folder: Path) -> list[tuple[float, float]]:
    """Of each trial that was trained to its end: when that was, in seconds since 1970, and its score."""
    return [(p.stat().st_mtime, json.loads(p.read_text())[OBJECTIVE]) for p in folder.glob("*/result.json")]

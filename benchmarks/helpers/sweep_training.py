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

from helpers.sweep_commands import REPOSITORY, RUN, Configurations, Timed, listed, ours, theirs

OBJECTIVE = "val/macro_f1"
# The pruner's options were chosen on other configurations than these: docs/lab-notebook.md, 2026-11-25.
PRUNING = ["sweep.pruner=asha", "sweep.pruning.min_steps=3", "sweep.pruning.reduction_factor=2"]
PRUNING += ["sweep.sampler=random"]
# Each trial is scored on the test split, as for the other sweeper. No trial is scored again at the end: that would
# make its score appear later.
PRUNING += ["sweep.search_overrides=[]"]
FIRST_DRAW = 3  # the pruner was chosen on draws 0 to 2
HEAD = (
    "| draw | best score | to the best score, ours | theirs | ratio | whole command, ours | theirs | ratio |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Pair:
    """Seconds until a score was reached, ours and theirs; infinite if it never was."""

    ours_s: float
    theirs_s: float

    def __str__(self) -> str:
        reached = f"{self.ours_s:.1f} s" if isfinite(self.ours_s) else "never: pruned"
        return f"{reached} | {self.theirs_s:.1f} s | {self.ours_s / self.theirs_s:.2f}"


@dataclass(frozen=True)
class Row:
    """One draw of configurations, in a random order that is the same for both sides."""

    draw: int
    best: float
    to_best: Pair
    whole: Pair

    def __str__(self) -> str:
        return f"| {self.draw} | {self.best:.4f} | {self.to_best} | {self.whole} |"


def training_table(folder: Path, num_configurations: int, num_draws: int, num_epochs: int) -> Iterator[str]:
    """The time until each side has the best score of its configurations, for several draws."""
    values = training_values(folder, num_epochs)
    _pack(folder, values)
    yield HEAD
    rows = []
    for draw in range(FIRST_DRAW, FIRST_DRAW + num_draws):
        rows.append(_compare(folder, draw, num_configurations, values))
        yield str(rows[-1])
    means = [_mean([getattr(row, name) for row in rows]) for name in ("to_best", "whole")]
    yield f"| means, where ours has it | | {means[0]} | {means[1]} |"


def training_values(folder: Path, num_epochs: int) -> list[str]:
    """Overrides of a training of seconds.

    Args:
        folder: its surveys are packed in it.
    """
    values = ["experiment=debug", "num_threads=1", "data.num_spectra=3000", f"cache_dir={folder / 'surveys'}"]
    values += [f"schedule.stages.0.epochs={num_epochs}", "schedule.stages.0.steps=10", "schedule.batch_size=16"]
    return [*values, "tracker=none", "plots=false"]  # a pruned run has neither


def _mean(pairs: list[Pair]) -> Pair | str:
    reached = [pair for pair in pairs if isfinite(pair.ours_s)]
    if not reached:
        return "never | | "
    return Pair(fmean(pair.ours_s for pair in reached), fmean(pair.theirs_s for pair in reached))


def _pack(folder: Path, values: list[str]) -> None:
    """Pack the survey, so that both sides find it packed."""
    command = [sys.executable, str(RUN), *values, "schedule.stages.0.epochs=1", f"run_dir={folder / 'pack'}"]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)


def draw_configurations(num: int, seed: int) -> Configurations:
    """Random configurations: learning rate and width."""
    draw = random.Random(seed)
    return [
        {"optimizer.lr": float(f"{10 ** draw.uniform(-5, -1):.2e}"), "model.width": draw.choice([4, 6, 8])}
        for _ in range(num)
    ]


def _compare(folder: Path, draw: int, num_configurations: int, values: list[str]) -> Row:
    configurations = draw_configurations(num_configurations, draw)
    theirs_in, ours_in = folder / f"theirs-{draw}", folder / f"ours-{draw}"
    other = theirs(RUN, theirs_in, configurations, "sweep=none", *values)
    mine = ours(RUN, ours_in, *listed(configurations), *values, *PRUNING)
    best = max(score for _, score in _scores(theirs_in))

    to_best = Pair(_found_s(ours_in, mine, best), _found_s(theirs_in, other, best))
    return Row(draw, best, to_best, Pair(mine.wall_s, other.wall_s))


def _found_s(folder: Path, command: Timed, least: float) -> float:
    """Seconds from the command's start to the end of the first trial with at least this score; infinite if none has."""
    return min((at - command.start for at, score in _scores(folder) if score >= least), default=float("inf"))


def _scores(folder: Path) -> list[tuple[float, float]]:
    """For each trial that was trained to its end: the time of its end in seconds since 1970, and its score."""
    return [(p.stat().st_mtime, json.loads(p.read_text())[OBJECTIVE]) for p in folder.glob("*/result.json")]

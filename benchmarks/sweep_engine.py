"""Measure how well sweeps use their slots and what a trial costs, compared with hydra-optuna-sweeper 1.3.0 and joblib.

    python benchmarks/sweep_engine.py                          # all parts, about half an hour on 2 quiet cores
    python benchmarks/sweep_engine.py --quick                  # smaller: to see that it works
    python benchmarks/sweep_engine.py --parts slots costs      # some of slots, training, costs, past

The other sweeper ("theirs") runs in its own environment, which the first run makes below build/ with pip. Both sides
get the same configurations in the same order, 2 slots and one thread per job; their commands alternate. Prints Markdown
tables.
"""

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from helpers.sweep_commands import (
    APPS,
    NUM_SLOTS,
    REPOSITORY,
    SLEEPER,
    Configurations,
    listed,
    make_their_environment,
    ours,
    pace_ms,
    theirs,
    times,
)
from helpers.sweep_past import past_table
from helpers.sweep_training import training_table

SHORT_S, LONG_S = 0.5, 2.0


@dataclass(frozen=True)
class Sizes:
    """The amount of measurement."""

    num_sleeps: int = 40
    num_draws: int = 3
    num_configurations: int = 40
    num_epochs: int = 24
    num_no_ops: int = 100
    num_starts: int = 5
    past: tuple[int, ...] = (100, 1000, 10000)


QUICK = Sizes(8, 1, 6, 4, 20, 1, (100, 1000))


# Slots: jobs that sleep.


def slots_table(folder: Path, sizes: Sizes) -> Iterator[str]:
    """A table of both sides on the same jobs. Busy: the sum of the sleeps, divided by slots times the time from first
    start to last end.
    """
    draw, num = random.Random(0), sizes.num_sleeps
    draws = {
        "evenly between": [round(draw.uniform(SHORT_S, LONG_S), 3) for _ in range(num)],
        "a third long, else short": [LONG_S if draw.random() < 1 / 3 else SHORT_S for _ in range(num)],
        "short and long in turn": [SHORT_S, LONG_S] * (num // 2),  # of a grid whose last axis decides how long
    }
    # One run without measuring, so that the disk cache is warm for both.
    for is_ours in (True, False):
        _sleep(folder / f"warm-{is_ours}", [{"x": 0, "duration_s": 0.0}], is_ours=is_ours)
    yield "| durations | command, ours | theirs | ratio | ratio were both without cost | busy, ours | theirs |"
    yield "|---|---|---|---|---|---|---|"
    for i, (name, durations_s) in enumerate(draws.items()):
        jobs: Configurations = [{"x": place, "duration_s": d} for place, d in enumerate(durations_s)]
        mine, mine_span_s = _sleep(folder / f"ours-{i}", jobs, is_ours=True)
        other, other_span_s = _sleep(folder / f"theirs-{i}", jobs, is_ours=False)
        busy = [sum(durations_s) / (NUM_SLOTS * span_s) for span_s in (mine_span_s, other_span_s)]
        yield (
            f"| {name} | {mine:.1f} s | {other:.1f} s | {mine / other:.2f} | {_ratio_without_cost(durations_s):.2f} "
            f"| {busy[0]:.1%} | {busy[1]:.1%} |"
        )


def _ratio_without_cost(durations_s: list[float]) -> float:
    """The ratio of times, without other costs: slots refilled at once, to batches that wait for their longest job."""
    free_at_s = [0.0] * NUM_SLOTS
    for duration_s in durations_s:
        free_at_s[free_at_s.index(min(free_at_s))] += duration_s
    batches = [durations_s[i : i + NUM_SLOTS] for i in range(0, len(durations_s), NUM_SLOTS)]
    return max(free_at_s) / sum(map(max, batches))


def _sleep(folder: Path, jobs: Configurations, *, is_ours: bool) -> tuple[float, float]:
    """The seconds of the whole command, and from the first job's start to the last job's end."""
    log = folder.with_suffix(".times")
    if is_ours:
        wall_s = ours(SLEEPER, folder, f"log={log}", *listed(jobs, "+")).wall_s
    else:
        wall_s = theirs(SLEEPER, folder, jobs, f"log={log}").wall_s
    found = times(log)
    assert len(found) == len(jobs)
    return wall_s, max(end for _, end in found) - min(begun for begun, _ in found)


# Costs: of a trial that does nothing, and until the first job.


def costs_table(folder: Path, sizes: Sizes) -> Iterator[str]:
    yield "| cost | figure |"
    yield "|---|---|"
    axis = ["x=interval(0.0,1.0)", f"+sweep.num_trials={sizes.num_no_ops}", "+sweep.sampler=random"]
    log = folder / "no-op.times"
    ours(SLEEPER, folder / "no-op", f"log={log}", *axis, "hydra.launcher.jobs_per_device=1")
    yield f"| a trial that does nothing, one slot, ours | {pace_ms(log):.0f} ms |"
    log = folder / "no-op-2.times"
    ours(SLEEPER, folder / "no-op-2", f"log={log}", *axis)
    yield f"| a trial that does nothing, two slots, ours | {pace_ms(log):.0f} ms |"
    log, jobs = folder / "no-op-theirs.times", [{"x": place} for place in range(sizes.num_no_ops)]
    theirs(SLEEPER, folder / "no-op-theirs", jobs, f"log={log}")
    yield f"| a trial that does nothing, two slots, theirs | {pace_ms(log):.0f} ms |"
    for k, search in enumerate(("model.width=16,32", "sweep=fractions", "sweep=full")):
        starts = [_first_submit(folder / f"start-{k}-{i}", search) for i in range(sizes.num_starts)]
        wall_s, cpu_s = (median(start[key] for start in starts) for key in ("wall_s", "cpu_s"))
        torch = "with torch" if any(start["torch"] for start in starts) else "without torch"
        yield f"| from the command to the first job, {search} | {wall_s:.2f} s ({cpu_s:.2f} s of CPU, {torch}) |"


def _first_submit(folder: Path, search: str) -> dict[str, Any]:
    command = [sys.executable, str(APPS / "first_submit.py"), "-m", search, f"run_dir={folder}"]
    start = time.time()
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True, env=_environment())
    reported: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reported | {"wall_s": reported["time"] - start}


def _environment() -> dict[str, str]:
    """An environment in which modules are compiled only at the first start, as for a user."""
    compiling = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return compiling | {"PYTHONPATH": str(REPOSITORY)}


PARTS = {
    "slots": slots_table,
    "training": lambda folder, sizes: training_table(
        folder, sizes.num_configurations, sizes.num_draws, sizes.num_epochs
    ),
    "costs": costs_table,
    "past": lambda folder, sizes: past_table(folder, sizes.past),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller: to see that it works")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--keep", type=Path, help="keep the runs and their output in this new folder")
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="sweep-engine-"))
    if {"slots", "training", "costs"} & set(options.parts):
        make_their_environment()
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load before {load}", flush=True)
    try:
        for name in options.parts:
            (folder / name).mkdir(parents=True)
            print(f"\n{name}\n", flush=True)
            for line in PARTS[name]((folder / name).resolve(), sizes):
                print(line, flush=True)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()

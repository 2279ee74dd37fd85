"""Measure how costs grow, and fit the exponent b of cost = a * size^b: of steps, of sampling, of past trials, of slots.

    python benchmarks/growth.py                        # all parts, 8 minutes
    python benchmarks/growth.py --parts step sampling  # some of step, sampling, past, slots; 4 minutes at most
    python benchmarks/growth.py --quick                # fewer sizes: under a minute

step: a training step against length, width, batch and number of classes, the others held; theory has 1, 2 (1 while
memory is what takes the time), 1 and 0. sampling: drawing the rows of an epoch, and the split and digests of a survey,
against the number of spectra: at most 1. past: `ask` and `tell` of a random search with past trials, and opening the
study again: at most 1. slots: trials that do nothing, against the number of slots. The processor time of a trial does
not grow: it is the difference of a long and a short sweep. What the short one took besides its trials are the starts.

Times of steps are the best of some turns, in which the sizes alternate; the theory is written next to each exponent,
with the exponent of the last two sizes, since a constant cost hides the growth of small ones.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from helpers.scaling import exponent, last_exponent, machine, row, table
from helpers.sweep_commands import SLEEPER, ours, times
from helpers.sweep_past import measured
from torch.nn.functional import cross_entropy

from spectral.configs.models import models
from spectral.configs.split import splits
from spectral.data.splits.split import assign_split
from spectral.runtime import choose_runtime, tune_allocator
from spectral.training.sampler import FractionSampler, NaturalSampler, Sampler, balanced_sampler

Costs = dict[int, float]
BASE = {"length": 1000, "width": 8, "batch": 32, "classes": 4}
SIZES = {
    "length": ((500, 1000, 2000, 4000, 8000, 16_000), "1"),
    "width": ((4, 8, 16, 32, 64), "1 to 2"),
    "batch": ((8, 16, 32, 64, 128, 256), "1"),
    "classes": ((2, 8, 32, 128, 512), "0"),
}
ENDS = {"length": (500, 2000), "width": (4, 16), "batch": (8, 32), "classes": (2, 32)}


def growth_rows(name: str, theory: str, costs: Costs, unit: str = "ms") -> Iterator[str]:
    """A row: the costs by size, and the exponents."""
    sizes, taken = list(costs), list(costs.values())
    shown = ", ".join(f"{size:,}: {cost:.3g}" for size, cost in costs.items())
    yield row(f"{name}, {unit}", shown, theory, f"{exponent(sizes, taken):.2f}", f"{last_exponent(sizes, taken):.2f}")


def head() -> Iterator[str]:
    return table("cost", "by size", "theory", "exponent", "of the last two")


def step_part(folder: Path, is_quick: bool) -> Iterator[str]:
    tune_allocator()
    yield from head()
    for axis, (sizes, theory) in SIZES.items():
        steps = {size: training_step(**(BASE | {axis: size})) for size in (ENDS[axis] if is_quick else sizes)}
        yield from growth_rows(f"a training step by {axis}", theory, best_of(steps, 2 if is_quick else 12))


def training_step(length: int, width: int, batch: int, classes: int) -> Callable[[], object]:
    """A step of the reference network."""
    torch.manual_seed(0)
    config = models.typed({"name": "reference", "width": width, "num_blocks": 6})
    network = models.build(config, num_channels=1, num_classes=classes, length=length)
    compiled = choose_runtime("cpu").prepare(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    flux, target = torch.randn(batch, 1, length), torch.randint(classes, (batch,))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(compiled(flux).float(), target).backward()
        optimizer.step()

    return step


def best_of(calls: dict[int, Callable[[], object]], num_turns: int) -> Costs:
    """Milliseconds of each call, the best of the turns; one more before them."""
    best = dict.fromkeys(calls, np.inf)
    for turn in range(num_turns + 1):
        for size, call in calls.items():
            start = time.perf_counter()
            call()
            best[size] = min(best[size], 1e3 * (time.perf_counter() - start)) if turn else np.inf
    return best


def sampling_part(folder: Path, is_quick: bool) -> Iterator[str]:
    sizes = (5000, 20_000) if is_quick else (50_000, 200_000, 500_000)
    yield from head()
    labels = {num: np.random.default_rng(0).choice(4, num, p=[0.9, 0.07, 0.02, 0.01]) for num in sizes}
    kinds: dict[str, Callable[[int], Sampler]] = {
        "natural": lambda num: NaturalSampler(labels[num], 4, 160, 0),
        "fractions": lambda num: FractionSampler([0.8, 0.1, 0.05, 0.05], labels[num], 4, 160, 0),
        "balanced": lambda num: balanced_sampler(labels[num], 4, 160, 0),
    }
    for name, make in kinds.items():
        samplers = {num: make(num) for num in sizes}
        calls = {num: partial(_drawn, sampler) for num, sampler in samplers.items()}
        theory = "1: a pass is a permutation" if name == "natural" else "0"
        yield from growth_rows(f"rows of 100 batches, {name}", theory, best_of(calls, 5))
    for name in ("stratified", "random"):
        config = splits.typed(name)
        calls = {num: partial(assign_split, _catalog(labels[num]), config, None) for num in sizes}
        yield from growth_rows(f"a split, {name}", "1", best_of(calls, 1))


def _drawn(sampler: Sampler) -> None:
    for _ in sampler.batches(1, 100):
        pass


def _catalog(labels: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> pd.DataFrame:
    names = np.array(["star", "unknown", "galaxy", "qso"])[labels]
    return pd.DataFrame({"id": np.arange(len(labels)).astype(str), "label": names, "class_index": labels})


def past_part(folder: Path, is_quick: bool) -> Iterator[str]:
    sizes = (100, 400) if is_quick else (100, 1000, 5000)
    yield from head()
    found = {
        sampler: {num: measured(folder / str(num), num, sampler) for num in sizes} for sampler in ("random", "tpe")
    }
    for sampler, by_size in found.items():
        costs = {num: figures["trial_ms"] for num, figures in by_size.items()}
        yield from growth_rows(f"ask and tell, {sampler}", "at most 1", costs)
    opened = {num: 1e3 * figures["open_s"] for num, figures in found["random"].items()}
    yield from growth_rows("opening the study again", "1", opened)


def slots_part(folder: Path, is_quick: bool) -> Iterator[str]:
    short, long = (40, 120) if is_quick else (150, 600)
    yield from head()
    walls, trials, starts = Costs(), Costs(), Costs()
    for slots in (1, 4) if is_quick else (1, 2, 4, 8):
        used_short, _ = _sweep(folder / f"{slots}-short", short, slots)
        used_long, begun = _sweep(folder / f"{slots}-long", long, slots)
        walls[slots] = 1e3 * (begun[-1] - begun[10]) / (len(begun) - 11)
        trials[slots] = 1e3 * (used_long - used_short) / (long - short)
        starts[slots] = 1e3 * used_short - short * trials[slots]
    yield from growth_rows("from one start to the next", "0", walls)
    yield from growth_rows("processor time of a trial, of controller and workers", "0", trials)
    yield from growth_rows("processor time of the starts of controller and workers", "at most 1", starts)


def _sweep(folder: Path, num_trials: int, slots: int) -> tuple[float, list[float]]:
    """Run trials that do nothing: the seconds of processor time that it took, and when each trial began."""
    log = folder.with_suffix(".times")
    axis = ["x=interval(0.0,1.0)", f"+sweep.num_trials={num_trials}", "+sweep.sampler=random"]
    before = os.times()
    ours(SLEEPER, folder, f"log={log}", *axis, f"hydra.launcher.jobs_per_device={slots}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, sorted(start for start, _ in times(log))


PARTS = {"step": step_part, "sampling": sampling_part, "past": past_part, "slots": slots_part}


def run_parts(names: Sequence[str], is_quick: bool) -> None:
    for name in names:
        print(f"\n{name}\n", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            for line in PARTS[name](Path(folder), is_quick):
                print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer sizes")
    options = parser.parse_args()
    print(machine())
    run_parts(options.parts, options.quick)


if __name__ == "__main__":
    main()

"""Measure the network's forward pass alone: reference network, spectra of 2,600 pixels, by batch size and threads.

    python benchmarks/predict_speed.py --keras /path/to/python   # about 3 minutes; an environment with TensorFlow
    python benchmarks/predict_speed.py --quick                   # under a minute: 160 spectra, all cores
    python benchmarks/predict_speed.py --json speed.json         # ratio_to_naive_torch, ratio_to_best_keras, kernel

What `spectral.predict` adds by reading, checking and writing: benchmarks/predict_scale.py --speed-only.

A step takes a batch from NumPy to logits in NumPy, for Keras by `predict_on_batch`. The variants take turns, see
train_step.py; speeds are medians over the turns, ratios the median of the ratios within a turn. `naive` is the network
in plain nn.Conv1d and float32. The ratios of the JSON file are those of 160 spectra on all cores.
"""

import argparse
import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from helpers.in_turn import KerasSteps, Step, Steps, TorchSteps, seconds_in_turn
from helpers.naive_network import NUM_CLASSES, NaiveReference

from spectral.configs.models import models
from spectral.runtime import choose_runtime, tune_allocator

KERAS = ("float32", "float32 with XLA")
BATCH_SIZE = 160  # of the ratios
SPECTRA_AT_A_TIME = 128  # so many at least in one turn of a variant
NAMES = ("naive Conv1d, float32", "auto", "auto, kernel=torch")
NAIVE, AUTO, TORCH = range(3)


@dataclass(frozen=True)
class Speeds:
    """Seconds per step for one number of threads: for each turn, batch size and variant."""

    num_threads: int
    batch_sizes: list[int]
    turns: list[list[list[float]]]

    def speed(self, size: int, variant: int) -> float:
        """Spectra per second."""
        return self.batch_sizes[size] / median(turn[size][variant] for turn in self.turns)

    def ratio(self, size: int, others: slice) -> float:
        """How many times the speed of the best of some variants `auto` has."""
        return median(min(turn[size][others]) / turn[size][AUTO] for turn in self.turns)


def make_step(variant: int, length: int, num_threads: int, precision: str, batch_size: int) -> Step:
    """A function that predicts one fixed batch."""
    torch.manual_seed(0)
    flux = torch.randn(batch_size, 1, length).numpy()
    if variant == NAIVE:
        runtime = choose_runtime("cpu", "float32", num_threads=num_threads, kernel="torch")
        network: torch.nn.Module = NaiveReference()
    else:
        tune_allocator()
        kernel = "torch" if variant == TORCH else "auto"
        runtime = choose_runtime("cpu", precision, num_threads=num_threads, kernel=kernel)
        config = models.typed("reference")
        network = runtime.prepare(models.build(config, num_channels=1, num_classes=NUM_CLASSES, length=length))
    network.eval()

    def step() -> object:
        with torch.inference_mode(), runtime.autocast():
            return network(torch.from_numpy(flux)).float().numpy()

    return step


def measure(options: argparse.Namespace, num_threads: int) -> Speeds:
    """Let all variants take turns with a number of threads."""
    settings = options.length, num_threads, options.precision
    processes: list[Steps] = [TorchSteps(partial(make_step, variant, *settings)) for variant in range(len(NAMES))]
    if options.keras is not None:
        processes += [KerasSteps(options.keras, "predict", kind, options.length, num_threads) for kind in KERAS]
    sizes = [(max(1, SPECTRA_AT_A_TIME // size), size) for size in options.batch_sizes]
    return Speeds(num_threads, options.batch_sizes, seconds_in_turn(processes, sizes, options.budget_s, num_warm=1))


def figures_of(found: list[Speeds], names: list[str], has_keras: bool) -> list[dict[str, Any]]:
    """A row for each number of threads and batch size."""
    keras = slice(len(NAMES), None)
    return [
        {
            "num_threads": each.num_threads,
            "batch_size": batch_size,
            "spectra_per_s": {name: each.speed(size, i) for i, name in enumerate(names)},
            "ratio_to_naive_torch": each.ratio(size, slice(NAIVE, NAIVE + 1)),
            "ratio_to_torch_kernel": each.ratio(size, slice(TORCH, TORCH + 1)),
            "ratio_to_best_keras": each.ratio(size, keras) if has_keras else None,
        }
        for each in found
        for size, batch_size in enumerate(each.batch_sizes)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="160 spectra and all cores alone")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--keras", type=Path, help="the Python of an environment with keras and tensorflow")
    parser.add_argument("--precision", default="auto", help="of `auto` and of kernel=torch")
    parser.add_argument("--length", type=int, default=2600, help="pixels of a spectrum")
    options = parser.parse_args()
    num_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    options.batch_sizes = [BATCH_SIZE] if options.quick else [16, 64, BATCH_SIZE, 512]
    options.budget_s = 12 if options.quick else 0  # three turns
    all_threads = [num_cores] if options.quick else sorted({num_cores, 1}, reverse=True)

    names = [*NAMES, *(f"Keras {kind}" for kind in KERAS if options.keras)]
    rows = figures_of([measure(options, num) for num in all_threads], names, options.keras is not None)
    runtime = choose_runtime("cpu", options.precision)
    print(f"{runtime}; spectra/s, and the ratios of auto")
    print(
        f"{'threads':>7} {'batch':>6} " + " ".join(f"{name:>22}" for name in names) + "  to naive  to torch  to Keras"
    )
    for row in rows:
        speeds = " ".join(f"{row['spectra_per_s'][name]:22.0f}" for name in names)
        ratios = (row[f"ratio_to_{name}"] for name in ("naive_torch", "torch_kernel", "best_keras"))
        shown = " ".join(f"{'' if ratio is None else f'{ratio:.2f}':>9}" for ratio in ratios)
        print(f"{row['num_threads']:7} {row['batch_size']:6} {speeds} {shown}")
    if options.json:
        chosen = next(row for row in rows if row["batch_size"] == BATCH_SIZE)
        ratios = {key: value for key, value in chosen.items() if key.startswith("ratio")}
        options.json.write_text(json.dumps({"kernel": runtime.kernel, **ratios, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()

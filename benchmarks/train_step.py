"""Measure a training step: forward, cross-entropy, backward, Adam; reference network, 160 spectra of 2,600 pixels.

    python benchmarks/train_step.py                   # about two minutes
    python benchmarks/train_step.py --quick           # under 40 s: leaves out compilation
    python benchmarks/train_step.py --json speed.json # ratio_to_naive_torch, and spectra_per_s of each variant
    python benchmarks/train_step.py --keras /path/to/python   # also Keras, in an environment with TensorFlow

As on a CPU without AVX-512 and bfloat16 (oneDNN, torch and the C++ code each have a switch of their own):

    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 XLA_FLAGS=--xla_cpu_max_isa=AVX2 \\
        SPECTRAL_NATIVE_FLAGS="-mavx2 -mfma" python benchmarks/train_step.py --precision float32

Each variant has its own process, since the memory allocator is set once per process. The processes alternate, a few
steps each, so that a slower machine affects all of them; medians over the turns are shown. The ratio is the median of
the ratios within a turn. `naive` is the network in plain nn.Conv1d and float32, with nothing tuned.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from helpers.in_turn import KerasSteps, Step, Steps, TorchSteps, seconds_in_turn
from helpers.naive_network import NUM_CLASSES, NaiveReference
from torch import nn
from torch.nn import functional as F

from spectral.configs.models import models
from spectral.inputs.batches import BatchSource
from spectral.inputs.channels import Flux
from spectral.inputs.inputs import Inputs
from spectral.inputs.transforms import Scale
from spectral.runtime import choose_runtime, tune_allocator

NUM_SURVEY = 2000
KERAS = ("float32", "float32 with XLA", "mixed bfloat16")


@dataclass(frozen=True)
class Variant:
    """How a step is run; `gathered` reads each batch from a memory map instead of using one fixed batch."""

    name: str
    naive: bool = False
    precision: str = "auto"
    layout: str = "auto"
    compile: str = "never"
    kernel: str = "auto"
    tuned_allocator: bool = True
    gathered: bool = False


NAIVE = Variant("naive Conv1d, float32", naive=True, tuned_allocator=False)
AUTO = Variant("auto", compile="auto")
QUICK = [
    NAIVE,
    Variant("float32", precision="float32"),
    AUTO,
    Variant("auto, kernel=torch", kernel="torch"),
    Variant("auto, batches from a memory map", gathered=True),
]
FULL = [
    *QUICK,
    Variant("auto, allocator as it is", tuned_allocator=False),
    Variant("naive Conv1d, float32, allocator tuned", naive=True),
    Variant("naive Conv1d, bfloat16 autocast", naive=True, precision="bfloat16", tuned_allocator=False),
    Variant("float32, contiguous", precision="float32", layout="contiguous"),
    Variant("auto, contiguous", layout="contiguous"),
    Variant("auto, compiled", compile="always"),
]


def make_step(variant: Variant, length: int, num_threads: int | None, folder: Path, batch_size: int) -> Step:
    """A function that trains one step."""
    if variant.tuned_allocator:
        tune_allocator()
    torch.manual_seed(0)
    flux, target = torch.randn(batch_size, 1, length), torch.randint(NUM_CLASSES, (batch_size,))
    runtime = choose_runtime("cpu", variant.precision, variant.layout, variant.compile, num_threads, variant.kernel)
    if variant.naive:
        network: nn.Module = NaiveReference(NUM_CLASSES)
        if variant.precision == "auto":
            runtime = choose_runtime("cpu", "float32", num_threads=num_threads, kernel="torch")
    else:
        config = models.typed("reference")
        network = models.build(config, num_channels=1, num_classes=NUM_CLASSES, length=length)
        network = runtime.prepare(network)
    survey = np.lib.format.open_memmap(folder / "flux.npy", mode="r")
    source, inputs = BatchSource(survey, None, runtime.device), Inputs(1, Scale(100.0), [Flux()])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    generator = np.random.default_rng(0)

    def step() -> None:
        x = flux
        if variant.gathered:
            x, _ = inputs(source.gather(generator.integers(NUM_SURVEY, size=batch_size)).flux, None, None)
        optimizer.zero_grad(set_to_none=True)
        with runtime.autocast():
            logits = network(x)
        F.cross_entropy(logits.float(), target).backward()
        optimizer.step()

    return step


def measure(
    variants: list[Variant], keras: Path | None, batch_size: int, length: int, num_threads: int | None, budget_s: float
) -> list[list[float]]:
    """Seconds per step of each variant, and of those of Keras, for each turn.

    There are at least three turns, and no new one begins after the budget.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shape = (NUM_SURVEY, 1, length)
        survey = np.lib.format.open_memmap(folder / "flux.npy", mode="w+", dtype=np.float32, shape=shape)
        survey[:] = 100 * np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        makes = [partial(make_step, variant, length, num_threads, folder) for variant in variants]
        processes: list[Steps] = [TorchSteps(make) for make in makes]
        if keras is not None:
            processes += [KerasSteps(keras, "train", kind, length, num_threads) for kind in KERAS]
        turns = seconds_in_turn(processes, [(3, batch_size)], budget_s)
    return [turn[0] for turn in turns]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="five variants, under 40 s")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--keras", type=Path, help="the Python of an environment with keras and tensorflow")
    parser.add_argument("--num-threads", type=int, help="of each variant; by default one per core")
    parser.add_argument("--precision", default="auto", help="of the variants that leave it to auto")
    parser.add_argument("--batch-size", type=int, default=160)
    parser.add_argument("--length", type=int, default=2600, help="pixels of a spectrum")
    options = parser.parse_args()

    variants = QUICK if options.quick else FULL
    auto = variants.index(AUTO)
    given = [v if v.precision != "auto" or v.naive else replace(v, precision=options.precision) for v in variants]
    sizes = options.batch_size, options.length, options.num_threads
    turns = measure(given, options.keras, *sizes, budget_s=16 if options.quick else 120)
    names = [variant.name for variant in variants] + ([f"Keras {kind}" for kind in KERAS] if options.keras else [])
    ratios = [median(turn[0] / turn[i] for turn in turns) for i in range(len(names))]
    speeds = [options.batch_size / median(turn[i] for turn in turns) for i in range(len(names))]
    runtime = choose_runtime("cpu", options.precision, num_threads=options.num_threads)
    print(f"{runtime}, {len(turns)} turns of 3 steps")
    print(f"{'variant':40s} {'spectra/s':>9s} {'ratio':>6s}")
    for name, speed, ratio in zip(names, speeds, ratios, strict=True):
        print(f"{name:40s} {speed:9.0f} {ratio:6.2f}")
    if options.json:
        keras = slice(len(variants), None)
        figures = {
            "kernel": runtime.kernel,
            "ratio_to_naive_torch": ratios[auto],
            "ratio_to_best_keras": median(min(turn[keras]) / turn[auto] for turn in turns) if options.keras else None,
            "ratio_to_torch_kernel": median(turn[auto + 1] / turn[auto] for turn in turns),
            "spectra_per_s": dict(zip(names, speeds, strict=True)),
            "ratio": dict(zip(names, ratios, strict=True)),
            "num_turns": len(turns),
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

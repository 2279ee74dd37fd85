"""Measure a training step: forward, cross-entropy, backward, Adam; reference network, 160 spectra of 2,600 pixels.

    python benchmarks/train_step.py                   # about two minutes
    python benchmarks/train_step.py --quick           # under 40 s: leaves out compilation
    python benchmarks/train_step.py --json speed.json # ratio_to_naive_torch, and spectra_per_s of each variant

Each variant has its own process, since the memory allocator is set once per process. The processes alternate, a few
steps each, so that a slower machine affects all of them; medians over the turns are shown. The ratio is the median of
the ratios within a turn. `naive` is the network in plain nn.Conv1d and float32, with nothing tuned.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spectral.configs.models import models
from spectral.inputs.batches import BatchSource
from spectral.inputs.channels import Flux
from spectral.inputs.inputs import Inputs
from spectral.inputs.transforms import Scale
from spectral.runtime import choose_runtime, tune_allocator

NUM_CLASSES = 4
NUM_SURVEY = 2000
Step = Callable[[], None]


@dataclass(frozen=True)
class Variant:
    """How a step is run; `gathered` reads each batch from a memory map instead of using one fixed batch."""

    name: str
    naive: bool = False
    precision: str = "auto"
    layout: str = "auto"
    compile: str = "never"
    tuned_allocator: bool = True
    gathered: bool = False


NAIVE = Variant("naive Conv1d, float32", naive=True, tuned_allocator=False)
AUTO = Variant("auto", compile="auto")
QUICK = [
    NAIVE,
    Variant("float32", precision="float32"),
    AUTO,
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


class NaiveBlock(nn.Module):
    """One block of the plain network: [B, C, L] to [B, F, L]."""

    def __init__(self, num_in: int, num_filters: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv1d(num_filters if i else num_in, 2 * num_filters, 3, padding=dilation, dilation=dilation)
            for i, dilation in enumerate((1, 2, 4))
        )
        self.shortcut = nn.Identity() if num_in == num_filters else nn.Conv1d(num_in, num_filters, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in self.convs:
            first, second = F.relu(conv(h)).chunk(2, dim=1)
            h = first + second
        return self.shortcut(x) + h


class NaiveReference(nn.Module):
    """The reference network in plain PyTorch: [B, 1, L] to logits [B, 4]."""

    def __init__(self) -> None:
        super().__init__()
        widths = [16, 16, 32, 32, 64, 64, 128, 128]
        self.blocks = nn.ModuleList(map(NaiveBlock, [1, *widths], widths))
        self.hidden, self.logits = nn.Linear(128, 128), nn.Linear(128, NUM_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i < 7:
                x = F.max_pool1d(x, 2)
        x = x * F.dropout(x.new_ones(x.shape[0], 1, x.shape[2]), 0.5)
        return self.logits(F.relu(self.hidden(x.amax(dim=2))))


def make_step(variant: Variant, batch_size: int, length: int, folder: Path) -> Step:
    """A function that trains one step."""
    if variant.tuned_allocator:
        tune_allocator()
    torch.manual_seed(0)
    flux, target = torch.randn(batch_size, 1, length), torch.randint(NUM_CLASSES, (batch_size,))
    runtime = choose_runtime("cpu", variant.precision, variant.layout, variant.compile)
    if variant.naive:
        network: nn.Module = NaiveReference()
        if variant.precision == "auto":
            runtime = choose_runtime("cpu", "float32")
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


def serve(connection: Connection, variant: Variant, batch_size: int, length: int, folder: Path) -> None:
    """The loop of a variant's process: read a number of steps, run them, and send back the seconds."""
    step = make_step(variant, batch_size, length, folder)
    while num_steps := connection.recv():
        start = time.perf_counter()
        for _ in range(num_steps):
            step()
        connection.send(time.perf_counter() - start)


def measure(variants: list[Variant], batch_size: int, length: int, budget_s: float) -> list[list[float]]:
    """Seconds per step of each variant, for each turn: at least three turns, and no new one after the budget."""
    end = time.monotonic() + budget_s
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shape = (NUM_SURVEY, 1, length)
        survey = np.lib.format.open_memmap(folder / "flux.npy", mode="w+", dtype=np.float32, shape=shape)
        survey[:] = 100 * np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        pipes, processes = [], []
        for variant in variants:
            pipe, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, variant, batch_size, length, folder), daemon=True)
            process.start()
            pipes.append(pipe)
            processes.append(process)
        for pipe in pipes:
            _ask(pipe, 2)
        turns: list[list[float]] = []
        while len(turns) < 3 or time.monotonic() < end:
            turns.append([_ask(pipe, 3) / 3 for pipe in pipes])
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.send(0)
            process.join()
    return turns


def _ask(pipe: Connection, num_steps: int) -> float:
    pipe.send(num_steps)
    return float(pipe.recv())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="four variants, under 40 s")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--batch-size", type=int, default=160)
    parser.add_argument("--length", type=int, default=2600, help="pixels of a spectrum")
    options = parser.parse_args()

    variants = QUICK if options.quick else FULL
    turns = measure(variants, options.batch_size, options.length, budget_s=16 if options.quick else 120)
    ratios = [median(turn[0] / turn[i] for turn in turns) for i in range(len(variants))]
    speeds = [options.batch_size / median(turn[i] for turn in turns) for i in range(len(variants))]
    print(f"{choose_runtime('cpu')}, {len(turns)} turns of 3 steps")
    print(f"{'variant':40s} {'spectra/s':>9s} {'ratio':>6s}")
    for variant, speed, ratio in zip(variants, speeds, ratios, strict=True):
        print(f"{variant.name:40s} {speed:9.0f} {ratio:6.2f}")
    if options.json:
        figures = {
            "ratio_to_naive_torch": ratios[variants.index(AUTO)],
            "spectra_per_s": {variant.name: speed for variant, speed in zip(variants, speeds, strict=True)},
            "ratio": {variant.name: ratio for variant, ratio in zip(variants, ratios, strict=True)},
            "num_turns": len(turns),
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

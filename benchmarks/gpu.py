"""Measure training on a GPU: spectra/s, the share of what it can multiply, and how many small trials fit side by side.

    python benchmarks/gpu.py                                # minutes on one GPU
    python benchmarks/gpu.py --device cpu --quick           # to see that it works

The steps are those of a run without augmentations: batches gathered from a survey on the device, or sent to it one by
one, forward, cross-entropy, backward, Adam. Operations are those that PyTorch counts with kernel=torch. A product of
two square matrices in the same precision is taken for what the device can do. Prints Markdown tables, and the number of
trials side by side with the most spectra/s in all.
"""

import argparse
import multiprocessing
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from spectral.configs.models import models
from spectral.configs.optimizer import optimizers
from spectral.inputs.batches import Batch, BatchSource
from spectral.inputs.channels import Flux
from spectral.inputs.inputs import Inputs
from spectral.inputs.transforms import Scale
from spectral.runtime import Runtime, choose_runtime

NUM_CLASSES, NUM_SURVEY, LENGTH = 4, 4000, 2600


@dataclass(frozen=True)
class Case:
    """A network and how it is run; `sent`: its batches are sent to the device, as from a survey too large for it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    precision: str = "auto"
    compile: str = "never"
    batch_size: int = 160
    kernel: str = "auto"
    sent: bool = False

    def __str__(self) -> str:
        compiled = ", compiled" if self.compile == "always" else ""
        sent = " sent" if self.sent else ""
        return f"{self.name}, batches of {self.batch_size}{sent}, {self.precision}{compiled}"


COMPACT = Case("compact", {"width": 8, "max_length": 1000})
CASES = [
    Case("reference", precision="float32"),
    Case("reference"),
    Case("reference", batch_size=640),
    Case("reference", compile="always"),
    Case("reference", sent=True),
    COMPACT,
]


class Training:
    """Steps of one network on a survey of noise."""

    def __init__(self, case: Case, device: str) -> None:
        torch.manual_seed(0)
        self.runtime = choose_runtime(device, case.precision, compile=case.compile, kernel=case.kernel)
        config = models.typed({"name": "reference", **case.options})
        network = models.build(config, num_channels=1, num_classes=NUM_CLASSES, length=LENGTH)
        self.network = self.runtime.prepare(network)
        draw = np.random.default_rng(0)
        survey = 100 * draw.standard_normal((NUM_SURVEY, 1, LENGTH), dtype=np.float32)
        self.source = BatchSource(survey, None, self.runtime.device)
        self.source.resident = self.source.resident and not case.sent
        self.inputs = Inputs(1, Scale(100.0), [Flux()])
        self.rows = [draw.integers(NUM_SURVEY, size=case.batch_size) for _ in range(16)]
        self.targets = torch.randint(NUM_CLASSES, (case.batch_size,)).to(self.runtime.device)
        self.optimizer = optimizers.build(optimizers.typed("adam"), parameters=network.parameters())
        self.batch_size = case.batch_size

    def step(self, batch: Batch) -> None:
        """Train one step."""
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(batch).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()

    def spectra_per_s(self, budget_s: float) -> float:
        """Speed over about so many seconds, after a quarter of that to warm up."""
        per_step_s = self._run(2) / 2
        self._run(max(1, int(budget_s / 4 / per_step_s)))
        num = max(2, int(budget_s * 2 / (per_step_s + self._run(2) / 2)))
        return self.batch_size * num / self._run(num)

    def loss(self, batch: Batch) -> Tensor:
        """The loss of a batch, a scalar."""
        channels, padding = self.inputs(batch.flux, batch.ivar, batch.mask)
        with self.runtime.autocast():
            logits = self.network(channels, padding)
        return F.cross_entropy(logits.float(), self.targets)

    def _run(self, num_steps: int) -> float:
        _synchronize(self.runtime)
        start = time.perf_counter()
        for batch in self.source.batches(islice(cycle(self.rows), num_steps)):
            self.step(batch)
        _synchronize(self.runtime)
        return time.perf_counter() - start


def _synchronize(runtime: Runtime) -> None:
    if runtime.device.type == "cuda":
        torch.cuda.synchronize(runtime.device)


def flops_of_spectrum(case: Case, device: str) -> float:
    """Floating-point operations of a step, over its spectra. PyTorch counts its own, none of the native kernel."""
    training = Training(replace(case, compile="never", kernel="torch"), device)
    with FlopCounterMode(display=False) as counter:
        training.loss(training.source.gather(training.rows[0])).backward()  # type: ignore[no-untyped-call]  # as above
    return float(counter.get_total_flops()) / case.batch_size


def peak_flops(runtime: Runtime, size: int) -> float:
    """Operations a second of a product of two matrices of this size, in the precision of the runtime."""
    kind = torch.bfloat16 if runtime.precision == "bfloat16" else torch.float32
    first, second = (torch.randn(size, size, dtype=kind, device=runtime.device) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        _synchronize(runtime)
        start = time.perf_counter()
        first @ second
        _synchronize(runtime)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def speed_table(device: str, cases: list[Case], budget_s: float, size: int) -> None:
    """Print a row for each case."""
    print("| network | spectra/s | GFLOP/s | of a matrix product |\n|---|---|---|---|")
    for case in cases:
        if (case.compile == "always" or case.sent) and not device.startswith("cuda"):
            continue
        flops = flops_of_spectrum(case, device)
        training = Training(case, device)
        speed = training.spectra_per_s(budget_s)
        peak = peak_flops(training.runtime, size)
        print(f"| {case} | {speed:,.0f} | {flops * speed / 1e9:,.0f} | {flops * speed / peak:.0%} |", flush=True)


def serve(connection: Connection, device: str) -> None:
    """A process with a small trial: for each time that it is sent, send back the spectra/s of that time."""
    training = Training(COMPACT, device)
    training.spectra_per_s(0.1)
    connection.send(0.0)
    while budget_s := connection.recv():
        connection.send(training.spectra_per_s(budget_s))


def jobs_table(device: str, numbers: list[int], budget_s: float) -> None:
    """Print the speed of several small trials side by side on one device, and the number with the highest in all."""
    print("\n| `jobs_per_device` | spectra/s in all | of one trial alone |\n|---|---|---|")
    context, totals = multiprocessing.get_context("spawn"), dict[int, float]()
    for num in numbers:
        pipes = []
        for _ in range(num):
            pipe, theirs = context.Pipe()
            context.Process(target=serve, args=(theirs, device), daemon=True).start()
            pipes.append(pipe)
        for pipe in pipes:
            pipe.recv()
        for pipe in pipes:
            pipe.send(budget_s)
        totals[num] = sum(pipe.recv() for pipe in pipes)
        for pipe in pipes:
            pipe.send(0)
        print(f"| {num} | {totals[num]:,.0f} | {totals[num] / totals[numbers[0]]:.2f} |", flush=True)
    print(f"\nbest: jobs_per_device={max(totals, key=totals.__getitem__)}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="one network, and small matrices")
    given = parser.parse_args()
    is_gpu = given.device.startswith("cuda")
    name = torch.cuda.get_device_name(given.device) if is_gpu else platform.processor() or platform.machine()
    print(f"{name}, torch {torch.__version__}\n")
    speed_table(
        given.device, CASES[-1:] if given.quick else CASES, 0.5 if given.quick else 5.0, 1024 if given.quick else 8192
    )
    jobs_table(given.device, [1, 2] if given.quick else [1, 2, 4, 8, 16], 1.0 if given.quick else 10.0)


if __name__ == "__main__":
    main()

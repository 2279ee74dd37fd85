"""Measure what the data path costs in training: steps/s with it, over steps/s on one fixed batch.

    python benchmarks/data_path.py                        # 4 minutes
    python benchmarks/data_path.py --networks small       # one of the two networks
    python benchmarks/data_path.py --quick                # under a minute: to see that it works
    python benchmarks/data_path.py --networks reference --only disk --num-steps 100     # whole epochs, from disk

Both sides are the trainer itself, with the same network: on one side rows are drawn, gathered from the memory map and
made into channels, on the other is a batch that was made once. They take turns of a few steps, in changing order.

`by turns`: steps/s with the data path over those without, the median of the ratios within a turn; where the machine is
uneven, it is as uncertain as the turns are. `inside`: one less the share of the step in which rows are drawn, batches
waited for and channels made, timed within the trainer. It is exact to a thousandth, and sees nothing but that time.

`from disk`: before each turn all of the survey is dropped from the page cache (posix_fadvise), so that nothing which a
step needs is there. That is harder than a survey a few times larger than the memory, part of which is always there.

The networks: `reference` is the reference network (width 16, all pixels), `small` is of width 8 on spectra averaged to
1,000 pixels, the default of `python run.py`, for which the data path is the largest share.
"""

import argparse
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from helpers.scaling import machine, row, table
from rich.console import Console
from torch import Tensor, nn

from spectral.configs.inputs import channels, transforms
from spectral.configs.losses import losses
from spectral.configs.models import models
from spectral.configs.optimizer import optimizers
from spectral.inputs.batches import Batch, BatchSource, Rows
from spectral.inputs.inputs import Inputs
from spectral.runs.folder import RunFolder
from spectral.runtime import Runtime, choose_runtime, tune_allocator
from spectral.training.lr_schedules import StageSchedule
from spectral.training.progress import Progress
from spectral.training.sampler import FractionSampler
from spectral.training.trainer import Stage, Trainer, TrainingSettings

BATCH, LENGTH, NUM_CLASSES = 160, 2600, 4
NETWORKS = {"reference": {}, "small": {"width": 8, "max_length": 1000}}
BAD = 0.01  # share of pixels masked one by one; each spectrum also has padding at its end


@dataclass(frozen=True)
class Case:
    """A data path."""

    name: str
    channels: tuple[str, ...] = ("flux",)
    transform: str = "scale"
    masked: bool = False
    from_disk: bool = False

    def inputs(self) -> Inputs:
        made = [channels.build(channels.typed(name)) for name in self.channels]
        return Inputs(1, transforms.build(transforms.typed(self.transform)), made)


CASES = (
    Case("flux"),
    Case("flux, standardized", transform="standardize"),
    Case("with a mask", masked=True),
    Case("flux, snr, log_ivar", ("flux", "snr", "log_ivar")),
    Case("the same, with a mask", ("flux", "snr", "log_ivar"), masked=True),
    Case("flux, savgol", ("flux", "savgol")),
    Case("flux from disk", from_disk=True),
    Case("flux, snr, log_ivar and mask from disk", ("flux", "snr", "log_ivar"), masked=True, from_disk=True),
)


@dataclass(frozen=True)
class Arrays:
    """A survey's memory maps: flux and ivar [N, 1, L], mask [N, L]."""

    flux: np.memmap
    ivar: np.memmap
    mask: np.memmap

    @classmethod
    def make(cls, folder: Path, num: int) -> "Arrays":
        rng = np.random.default_rng(0)
        kinds = {"flux": ((num, 1, LENGTH), np.float32), "ivar": ((num, 1, LENGTH), np.float32)}
        kinds["mask"] = (num, LENGTH), np.bool_
        for name, (shape, kind) in kinds.items():
            array = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, shape)
            for start in range(0, num, 1000):
                part = array[start : start + 1000]
                if name == "mask":
                    part[:] = rng.random(part.shape, np.float32) < BAD
                    part[:, -40:] = True
                else:
                    part[:] = 100 + 10 * rng.standard_normal(part.shape, np.float32)
            array.flush()
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in kinds))

    def drop(self) -> None:
        """Drop all of it from the page cache."""
        for array in (self.flux, self.ivar, self.mask):
            array._mmap.madvise(mmap.MADV_DONTNEED)  # a page that is mapped would stay
            with Path(array.filename).open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class FixedSource(BatchSource):
    """Gives one batch again and again."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def batches(self, all_rows: Iterable[Rows]) -> Iterator[Batch]:
        return (self.batch for _ in all_rows)


class FixedInputs(Inputs):
    """Gives the channels of one batch again and again."""

    def __init__(self, made: tuple[Tensor, Tensor | None]) -> None:
        nn.Module.__init__(self)
        self.made, self.augmentations = made, nn.ModuleList()

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        return self.made


class TimedSource(BatchSource):
    """Notes how long batches are waited for."""

    def __init__(self, source: BatchSource, clock: list[float]) -> None:
        self.source, self.clock = source, clock

    def batches(self, all_rows: Iterable[Rows]) -> Iterator[Batch]:
        batches, start = iter(self.source.batches(all_rows)), time.perf_counter()
        for batch in batches:
            self.clock.append(time.perf_counter() - start)
            yield batch
            start = time.perf_counter()


class TimedInputs(Inputs):
    """Notes how long channels are made."""

    def __init__(self, inputs: Inputs, clock: list[float]) -> None:
        nn.Module.__init__(self)
        self.inputs, self.clock, self.augmentations = inputs, clock, nn.ModuleList()

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        start = time.perf_counter()
        made: tuple[Tensor, Tensor | None] = self.inputs(flux, ivar, mask)
        self.clock.append(time.perf_counter() - start)
        return made


class Side:
    """A trainer, and what `fit` would give to its steps."""

    def __init__(
        self, network: nn.Module, runtime: Runtime, inputs: Inputs, source: BatchSource, num: int, timed: bool
    ) -> None:
        labels = np.arange(num) % NUM_CLASSES
        self.sampler = FractionSampler([1 / NUM_CLASSES] * NUM_CLASSES, labels, NUM_CLASSES, BATCH, 0)
        settings = TrainingSettings(0, "train/loss", False, None, None, None)
        priors = torch.full((NUM_CLASSES,), 1 / NUM_CLASSES, dtype=torch.float64)
        given = {"num_classes": NUM_CLASSES, "class_priors": priors, "batch_fractions": priors}
        self.loss = losses.build(losses.typed("cross_entropy"), **given)
        self.optimizer = optimizers.build(optimizers.typed("adam"), parameters=network.parameters())
        self.trainer = Trainer(
            network=network,
            runtime=runtime,
            inputs=inputs,
            source=source,
            rows=np.arange(num),
            targets=torch.from_numpy(labels),
            sampler=self.sampler,
            stages=[
                Stage("train", 1, 1, "last", lambda _: self.loss, lambda _: self.optimizer, lambda *_: _Constant())
            ],
            settings=settings,
            validate=lambda _network, _loss: {},
            folder=RunFolder("unused"),
            progress=Progress(Console(), "train/loss"),
        )
        self.epoch, self.clock = 0, list[float]()
        if timed:
            self.trainer.source = TimedSource(source, self.clock)
            self.trainer.inputs = TimedInputs(inputs, self.clock)

    def steps_s(self, num_steps: int, drop: Callable[[], None] | None) -> tuple[float, float]:
        """Seconds of some steps, the drawing of their rows included, and those of them that the data takes."""
        if drop:
            drop()
        self.epoch += 1
        self.clock.clear()
        start = time.perf_counter()
        positions = list(self.sampler.batches(self.epoch, num_steps))
        self.clock.append(time.perf_counter() - start)
        for _ in self.trainer.steps(positions, self.loss, self.optimizer, _Constant()):
            pass
        return time.perf_counter() - start, sum(self.clock)


class _Constant(StageSchedule):
    """A learning rate that stays."""

    def __init__(self) -> None:
        pass

    def after_step(self) -> None:
        pass


@dataclass(frozen=True)
class Figures:
    """What was measured of a case."""

    by_turns: float
    inside: float
    fixed_ms: float
    data_ms: float

    def __str__(self) -> str:
        ratios = f"{100 * self.by_turns:.1f} % | {100 * self.inside:.1f} %"
        return f"{ratios} | {self.fixed_ms:.0f} ms | {self.data_ms:.1f} ms"


def measure(case: Case, network_name: str, arrays: Arrays, num_steps: int, budget_s: float) -> Figures:
    torch.manual_seed(0)
    runtime = choose_runtime("cpu")
    inputs, num = case.inputs(), len(arrays.flux)
    sizes = {"num_channels": inputs.num_channels, "num_classes": NUM_CLASSES, "length": LENGTH}
    config = models.typed({"name": "reference", **NETWORKS[network_name]})
    network = models.build(config, **sizes)
    ivar = arrays.ivar if inputs.needs_ivar else None
    source = BatchSource(arrays.flux, arrays.mask if case.masked else None, runtime.device, ivar=ivar)
    real = Side(network, runtime, inputs, source, num, timed=True)
    batch = source.gather(np.arange(BATCH))
    fixed = Side(
        network, runtime, FixedInputs(inputs(batch.flux, batch.ivar, batch.mask)), FixedSource(batch), num, timed=False
    )
    end = time.monotonic() + budget_s
    for side in (fixed, real):
        side.steps_s(2, None)
    turns: list[dict[str, tuple[float, float]]] = []
    sides, drop = {"fixed": fixed, "real": real}, arrays.drop if case.from_disk else None
    while len(turns) < 4 or time.monotonic() < end:
        order = ("fixed", "real") if len(turns) % 2 else ("real", "fixed")
        turns.append({name: sides[name].steps_s(num_steps, drop) for name in order})
    return Figures(
        median(turn["fixed"][0] / turn["real"][0] for turn in turns),
        median(1 - turn["real"][1] / turn["real"][0] for turn in turns),
        1e3 * median(turn["fixed"][0] for turn in turns) / num_steps,
        1e3 * median(turn["real"][1] for turn in turns) / num_steps,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--only", default="", metavar="WORD", help="the data paths that have this word in their name")
    parser.add_argument("--num-steps", type=int, help="steps of a turn; by default 2 to 6")
    parser.add_argument("--num-spectra", type=int, default=40_000)
    parser.add_argument("--budget-s", type=float, help="seconds of each row")
    parser.add_argument("--quick", action="store_true", help="fewer spectra and turns")
    options = parser.parse_args()
    num = 4000 if options.quick else options.num_spectra
    budget_s = options.budget_s or (1.0 if options.quick else 11.0)
    tune_allocator()
    print(machine())
    print(f"{choose_runtime('cpu')}; batches of {BATCH} spectra of {LENGTH} pixels; {num:,} spectra\n")
    titles = ("network", "data path", "by turns", "inside", "a step on the fixed batch", "data of a step")
    print("\n".join(table(*titles)), flush=True)
    with tempfile.TemporaryDirectory() as name:
        arrays = Arrays.make(Path(name), num)
        for network in options.networks:
            for case in (case for case in CASES if options.only in case.name):
                num_steps = 6 if case.from_disk or (network == "small" and not options.quick) else 2
                figures = measure(case, network, arrays, options.num_steps or num_steps, budget_s)
                print(row(network, case.name, figures), flush=True)


if __name__ == "__main__":
    main()

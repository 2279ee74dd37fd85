"""Measure what a larger survey costs: packing, an epoch, and memory of 1 and of 4 runs on it.

    python benchmarks/survey_size.py                              # 50,000, 200,000 and 500,000 spectra; 4 minutes
    python benchmarks/survey_size.py --sizes 50000 --length 2600  # of the length of LAMOST's
    python benchmarks/survey_size.py --quick                      # 2,000 and 8,000: under a minute
    python benchmarks/survey_size.py --formats                    # packing of one survey by format, 2 minutes

Spectra of noise in an NPY file with a CSV of labels, packed as float16 by `python -m spectral.pack`. A run trains 3
epochs of 20 steps of 64 spectra with a network of width 4 on one thread; an epoch's time is that of its training part
alone, and with the validation of a tenth of the survey. Memory (Linux, /proc/PID/smaps_rollup) is the largest of a run:
RSS counts all pages that a process has mapped, PSS a page that n processes share as an nth. The exponents are those of
cost = a * size^b: theory has 1 for packing and validation, 0 for training, and at most 1 for memory.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from astropy.io import fits
from helpers.memory import MIB, peak_of
from helpers.scaling import REPOSITORY, environment, exponent, last_exponent, machine, python, row, table

CLASSES = ("star", "galaxy", "qso", "unknown")
ROWS_AT_A_TIME = 4096
SAMPLING_S = 0.1
NUM_WORKERS = 4
TRAINING = (
    *("model=reference", "model.width=4", "model.num_blocks=3", "num_threads=1", "schedule.batch_size=64"),
    *("schedule.stages=[{name: train, epochs: 3, steps: 20}]", "score_test=false", "tracker=none", "plots=false"),
)


def write_survey(folder: Path, num: int, length: int) -> None:
    """Write flux.npy and labels.csv."""
    rng = np.random.default_rng(0)
    flux = np.lib.format.open_memmap(folder / "flux.npy", "w+", np.float16, (num, length))
    for start in range(0, num, ROWS_AT_A_TIME):
        part = flux[start : start + ROWS_AT_A_TIME]
        part[:] = 10 + rng.standard_normal(part.shape, np.float32)
    flux.flush()
    labels = np.array(CLASSES)[np.arange(num) % len(CLASSES)]
    pd.DataFrame({"id": np.arange(num), "label": labels}).to_csv(folder / "labels.csv", index=False)


@dataclass(frozen=True)
class Memory:
    """The memory of some processes in bytes: RSS of the largest, PSS of all together."""

    rss: int = 0
    pss: int = 0

    @classmethod
    def now(cls, pids: Sequence[int]) -> "Memory":
        """What they have at this moment; none of a process that has ended."""
        found: list[dict[str, int]] = []
        for pid in pids:
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                found.append({line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines[1:]})
        return cls(max((one.get("Rss", 0) for one in found), default=0), sum(one.get("Pss", 0) for one in found))

    def or_more(self, other: "Memory") -> "Memory":
        """The larger of both, each figure by itself."""
        return Memory(max(self.rss, other.rss), max(self.pss, other.pss))


@dataclass(frozen=True)
class Row:
    """The figures of one size."""

    pack_s: float
    pack_bytes: int
    train_s: float
    epoch_s: float
    one: Memory
    four: Memory

    def cells(self) -> list[float]:
        memory = [self.pack_bytes, self.one.rss, self.one.pss, self.four.pss, self.four.rss]
        return [self.pack_s, self.train_s, self.epoch_s, *(size / MIB for size in memory)]


TITLES = (
    *("spectra", "packed in s", "training of an epoch, s", "with validation, s", "packing, PSS MiB"),
    *("a run, RSS MiB", "PSS", "4 runs, PSS together", "RSS of the largest"),
)


def measure(folder: Path, num: int, length: int) -> Row:
    write_survey(folder, num, length)
    data = "data=arrays", f"data.path={folder / 'flux.npy'}", f"data.labels={folder / 'labels.csv'}"
    start = time.perf_counter()
    pack = [sys.executable, "-m", "spectral.pack", *data, "data.dtype=float16", f"out={folder / 'pack'}"]
    pack_bytes = peak_of(pack, SAMPLING_S)
    pack_s = time.perf_counter() - start
    (folder / "flux.npy").unlink()
    one = train(folder, 1)
    epochs = [json.loads(line) for line in (folder / "1-0" / "metrics.jsonl").read_text().splitlines()][1:]
    num_trained = 20 * 64
    train_s = median(num_trained / epoch["time/train_spectra_per_s"] for epoch in epochs)
    epoch_s = median(epoch["time/epoch_s"] for epoch in epochs)
    return Row(pack_s, pack_bytes, train_s, epoch_s, one, train(folder, NUM_WORKERS))


def train(folder: Path, num_runs: int) -> Memory:
    """Train some runs at the same time; the largest memory that they had at a moment, while all of them were there."""
    runs = []
    for i in range(num_runs):
        given = f"data.folder={folder / 'pack'}", f"run_dir={folder / f'{num_runs}-{i}'}", f"seed={i}"
        command = [sys.executable, "run.py", "data=packed", *TRAINING, *given]
        log = (folder / f"{num_runs}-{i}.log").open("w")
        runs.append(subprocess.Popen(command, cwd=REPOSITORY, env=environment(1), stdout=log, stderr=log))
    memory, pids = Memory(), [run.pid for run in runs]
    while all(run.poll() is None for run in runs):
        memory = memory.or_more(Memory.now(pids))
        time.sleep(SAMPLING_S)
    for i, run in enumerate(runs):
        if run.wait():
            sys.exit((folder / f"{num_runs}-{i}.log").read_text())
    return memory


def sizes_table(sizes: Sequence[int], length: int) -> Iterator[str]:
    yield from table(*TITLES)
    rows = []
    for num in sizes:
        with tempfile.TemporaryDirectory() as name:
            rows.append(measure(Path(name), num, length).cells())
        yield row(f"{num:,}", *(f"{cell:.2f}" if i < 3 else f"{cell:.0f}" for i, cell in enumerate(rows[-1])))
    if len(sizes) > 1:
        yield row("exponent", *(f"{exponent(sizes, costs):.2f}" for costs in zip(*rows, strict=True)))
        yield row("of the last two", *(f"{last_exponent(sizes, costs):.2f}" for costs in zip(*rows, strict=True)))


# Packing by format


def formats_table(num: int, length: int) -> Iterator[str]:
    """Spectra a second of packing the same spectra, by format, the start of the command (taken once) left out."""
    yield from table("format", "bytes of a spectrum", "packed, spectra/s", "of the processor")
    for name, write in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            given = write(Path(folder), num, length)
            size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / num
            python("-m", "spectral.pack", *given, f"out={folder}/first", "data.limit=50", "data.num_workers=1")
            few = python("-m", "spectral.pack", *given, f"out={folder}/few", "data.limit=50", "data.num_workers=1")
            ended = python("-m", "spectral.pack", *given, f"out={folder}/pack", "data.num_workers=1")
        speeds = [
            (num - 50) / (all_s - few_s) for all_s, few_s in ((ended.wall_s, few.wall_s), (ended.cpu_s, few.cpu_s))
        ]
        yield row(name, f"{size:,.0f}", *(f"{speed:,.0f}" for speed in speeds))


def _flux(num: int, length: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return (100 + 10 * np.random.default_rng(0).standard_normal((num, length))).astype(np.float32)


def _labels(num: int) -> list[str]:
    return [CLASSES[i % len(CLASSES)] for i in range(num)]


def _text(folder: Path, num: int, length: int) -> tuple[str, ...]:
    (folder / "spectra").mkdir()
    for i, spectrum in enumerate(_flux(num, length)):
        (folder / "spectra" / f"{i}.txt").write_text(",".join(f"{value:.4f}" for value in spectrum))
    pd.DataFrame({"id": range(num), "type": _labels(num)}).to_csv(folder / "index.csv", index=False)
    return "data=tianchi", f"data.index={folder / 'index.csv'}", f"data.folder={folder / 'spectra'}"


def _csv(folder: Path, num: int, length: int) -> tuple[str, ...]:
    lines = (
        ",".join([str(i), label, *(f"{value:.4f}" for value in spectrum)])
        for i, (label, spectrum) in enumerate(zip(_labels(num), _flux(num, length), strict=True))
    )
    header = ",".join(["id", "label", *(f"p{i}" for i in range(length))])
    (folder / "survey.csv").write_text("\n".join([header, *lines]) + "\n")
    return "data=arrays", f"data.path={folder / 'survey.csv'}"


def _npz(folder: Path, num: int, length: int) -> tuple[str, ...]:
    np.savez(folder / "survey.npz", flux=_flux(num, length), type=np.array(_labels(num)), id=np.arange(num))
    return "data=arrays", f"data.path={folder / 'survey.npz'}"


def _parquet(folder: Path, num: int, length: int) -> tuple[str, ...]:
    frame = pd.DataFrame({"id": range(num), "label": _labels(num), "flux": list(_flux(num, length))})
    frame.to_parquet(folder / "survey.parquet")
    return "data=arrays", f"data.path={folder / 'survey.parquet'}"


def _fits(folder: Path, num: int, length: int) -> tuple[str, ...]:
    """A file a spectrum, as LAMOST has them."""
    (folder / "spectra").mkdir()
    for i, (spectrum, label) in enumerate(zip(_flux(num, length), _labels(num), strict=True)):
        rows = np.stack([spectrum, np.ones_like(spectrum), *[np.zeros_like(spectrum)] * 3])
        cards = {"OBSID": i, "CLASS": label.upper(), "COEFF0": 3.58, "COEFF1": 1e-4, "Z": 0.0}
        fits.PrimaryHDU(rows, fits.Header(cards)).writeto(folder / "spectra" / f"spec-{i:06d}.fits")
    return "data=lamost", f"data.folder={folder / 'spectra'}"


FORMATS = {
    "text, a file a spectrum": _text,
    "CSV": _csv,
    "NPZ": _npz,
    "Parquet": _parquet,
    "FITS, a file a spectrum (LAMOST)": _fits,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50_000, 200_000, 500_000])
    parser.add_argument("--length", type=int, help="pixels; 256, or 2,600 with --formats")
    parser.add_argument("--formats", action="store_true", help="packing by format, of --num-packed spectra")
    parser.add_argument("--num-packed", type=int, default=4000)
    parser.add_argument("--quick", action="store_true", help="2,000 and 8,000 spectra; 300 with --formats")
    options = parser.parse_args()
    os.chdir(REPOSITORY)
    print(f"{machine()}\n")
    if options.formats:
        lines = formats_table(300 if options.quick else options.num_packed, options.length or 2600)
    else:
        lines = sizes_table([2000, 8000] if options.quick else options.sizes, options.length or 256)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()

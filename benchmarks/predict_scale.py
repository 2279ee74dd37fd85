"""Measure `spectral.predict`: its speed next to the network alone, and its memory as the number of spectra grows.

    python benchmarks/predict_scale.py                       # a quarter of an hour: 50,000, 200,000, 1,000,000 spectra
    python benchmarks/predict_scale.py --sizes 2000 8000 --num-speed 2048 --turns 2     # minutes
    python benchmarks/predict_scale.py --speed-only
    python benchmarks/predict_scale.py --memory-only --whole-spectra                    # hours

Speed: the same spectra, 8,192 of 2,600 pixels, in memory and given to the network in batches, then from a pack and from
an NPZ by the command. A command's speed is the one that it prints: reading, checks, network and parts, without its
start and the joining. The variants take turns; medians, and the median of the ratios within a turn. On the CPU all use
all cores.

Memory: simulated spectra averaged to 130 pixels, repeated with other noise in an NPY file, and a network of 4 channels,
so that a million take minutes. Nothing is packed. `--whole-spectra` takes `data=simulated` and the default network:
spectra of 2,600 pixels are made as they are read, which takes longer than to classify them. The peak over all processes
of the command, by the proportional set size (Linux).

With a load on the machine from other processes, no speed counts; the ratio of a turn is then uncertain too.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from helpers.memory import MIB, peak_of

SAMPLING_S = 0.25
NUM_SIMULATED = 400
PIXELS_AVERAGED = 20
SPEED = re.compile(r"Classified [\d,]+ of [\d,]+ spectra, ([\d,]+) a second")
ALONE = """
import sys, time
import numpy as np
from pathlib import Path
from spectral.inference.classifier import Classifier
from spectral.inference.predictor import Predictor
from spectral.runs.folder import RunFolder
from spectral.runtime import choose_runtime, tune_allocator
from spectral.survey import Survey
tune_allocator()
folder, pack = RunFolder(sys.argv[1]), Survey.open(sys.argv[2])
mask = None if pack.mask is None else np.array(pack.mask)
survey = Survey(np.array(pack.flux), pack.catalog, pack.class_names, mask=mask)
predictor = Predictor.load(folder, Classifier.load(folder), choose_runtime(), 256)
predictor.probabilities(survey, np.arange(1024))
start = time.perf_counter()
predictor.probabilities(survey, np.arange(len(survey)))
print(len(survey) / (time.perf_counter() - start))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50_000, 200_000, 1_000_000])
    parser.add_argument("--num-speed", type=int, default=8192, help="spectra that the speed is measured with")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--memory-only", action="store_true")
    parser.add_argument("--whole-spectra", action="store_true", help="of 2,600 pixels, for the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"load before: {os.getloadavg()[0]:.1f}", flush=True)
        if not options.memory_only:
            train(folder)
            measure_speed(folder, options.num_speed, options.turns)
        if not options.speed_only:
            measure_memory(folder, options.sizes, options.whole_spectra)


def train(folder: Path, *more: str) -> None:
    """A run that is hardly trained, of the default network: its speed does not depend on its weights."""
    few = "schedule.stages=[{name: train, epochs: 1, steps: 2}]"
    data = more or ("data=simulated", f"data.num_spectra={NUM_SIMULATED}")
    given = few, "tracker=none", "plots=false", f"cache_dir={folder / 'cache'}", f"run_dir={folder / 'run'}"
    run([sys.executable, "run.py", *data, *given])


def measure_speed(folder: Path, num_spectra: int, num_turns: int) -> None:
    pack, npz = folder / "pack", folder / "spectra.npz"
    run([sys.executable, "-m", "spectral.pack", "data=simulated", f"data.num_spectra={num_spectra}", f"out={pack}"])
    flux, mask = (np.load(pack / f"{name}.npy") for name in ("flux", "mask"))
    wave = np.asarray(json.loads((pack / "survey.json").read_text())["wave_angstrom"])
    np.savez(npz, flux=flux, mask=mask, wave=wave, id=np.arange(len(flux)))
    given = {"a pack": ["data=packed", f"data.folder={pack}"], "an NPZ": ["data=arrays", f"data.path={npz}"]}
    alone, found = [], {name: list[float]() for name in given}
    for _ in range(num_turns):
        alone.append(float(run([sys.executable, "-c", ALONE, str(folder / "run"), str(pack)]).split()[-1]))
        for name, data in given.items():
            found[name].append(speed_of(run(predicting(folder, data))))
    print(f"{'':24} {'spectra/s':>10} {'of the network alone':>21}")
    print(f"{'network alone':24} {median(alone):10,.0f}")
    for name, speeds in found.items():
        ratio = median(speed / of for speed, of in zip(speeds, alone, strict=True))
        print(f"{'predict, from ' + name:24} {median(speeds):10,.0f} {100 * ratio:19.0f} %", flush=True)


def measure_memory(folder: Path, sizes: list[int], whole_spectra: bool) -> None:
    if whole_spectra:
        train(folder)
    else:
        train_small(folder)
    print(f"\n{'spectra':>10} {'peak memory MiB':>16} {'of the first':>13} {'minutes':>8} {'spectra/s':>10}")
    first = None
    for num in sizes:
        data = ["data=simulated", f"data.num_spectra={num}", "data.seed=7"]
        if not whole_spectra:
            write_short(folder, num)
            data = ["data=arrays", f"data.path={folder / 'short.npy'}"]
        start, log = time.perf_counter(), folder / "log.txt"
        peak = peak_of(predicting(folder, data), SAMPLING_S, log)
        first = first or peak
        minutes, speed = (time.perf_counter() - start) / 60, speed_of(log.read_text())
        print(f"{num:10,} {peak / MIB:16.0f} {peak / first:13.2f} {minutes:8.1f} {speed:10,.0f}", flush=True)


def train_small(folder: Path) -> None:
    """A run of a small network on short spectra."""
    simulated = "data=simulated", f"data.num_spectra={NUM_SIMULATED}"
    run([sys.executable, "-m", "spectral.pack", *simulated, f"out={folder / 'simulated'}"])
    write_short(folder, NUM_SIMULATED)
    pd.read_parquet(folder / "simulated" / "catalog.parquet")[["label"]].to_csv(folder / "labels.csv", index=False)
    data = "data=arrays", f"data.path={folder / 'short.npy'}", f"data.labels={folder / 'labels.csv'}"
    train(folder, *data, "model.width=4", "model.num_blocks=2", "model.head_width=8")


def write_short(folder: Path, num: int) -> None:
    """Write short.npy: simulated spectra averaged to fewer pixels, one after another and again, with other noise."""
    flux = np.load(folder / "simulated" / "flux.npy")[:, 0]
    short = flux.reshape(len(flux), -1, PIXELS_AVERAGED).mean(2)
    rng = np.random.default_rng(0)
    file = np.lib.format.open_memmap(folder / "short.npy", "w+", np.float32, (num, short.shape[1]))
    for start in range(0, num, len(short)):
        rows = short[: num - start]
        file[start : start + len(rows)] = rows * (1 + 0.01 * rng.standard_normal(rows.shape, np.float32))
    file.flush()


def predicting(folder: Path, data: list[str]) -> list[str]:
    out = f"out={folder / 'catalog.parquet'}", "overwrite=true"
    return [sys.executable, "-m", "spectral.predict", f"run={folder / 'run'}", *data, *out]


def speed_of(text: str) -> float:
    """The last speed that a command has printed."""
    return float(SPEED.findall(text)[-1].replace(",", ""))


def run(command: list[str]) -> str:
    """What a command prints."""
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)} ended with {ended.returncode}: {ended.stdout}")
    return ended.stdout


if __name__ == "__main__":
    main()

"""What children of a fork server find imported and composed, and one small run done."""

import contextlib
import copy
import io
import tempfile
from pathlib import Path

import numpy as np
import optuna  # noqa: F401  (of the sweeps)
import small_runs
import torch
from omegaconf import DictConfig

from spectral import experiment
from spectral.configs.readers import ArraysConfig
from spectral.data.packing.pack import pack
from spectral.data.readers.arrays.opening import open_arrays

torch.set_num_threads(1)


def run(config: DictConfig, pack_folder: Path | str, run_dir: Path | str) -> None:
    """Run the experiment of a config on a pack, in a folder."""
    config = copy.deepcopy(config)
    config.data.folder, config.run_dir = str(pack_folder), str(run_dir)
    experiment.run(config)


def make_pack(folder: Path) -> Path:
    """The survey of `small_runs.arrays`, packed below a folder."""
    np.savez(folder / "small.npz", **small_runs.arrays())
    reader = open_arrays(str(folder / "small.npz"))
    pack(reader, ArraysConfig(num_workers=1), folder / "pack", progress=False)
    return folder / "pack"


DATA = ("data=packed", "data.folder=nowhere", "run_dir=nowhere")
CONFIG = small_runs.composed([*DATA, *small_runs.OVERRIDES])
WITH_SNAPSHOTS = small_runs.composed([*DATA, *small_runs.OVERRIDES, "schedule.num_snapshots=2"])
WITH_PLOTS = small_runs.composed([*DATA, *small_runs.OVERRIDES, "plots=true"])

with tempfile.TemporaryDirectory() as _folder, contextlib.redirect_stdout(io.StringIO()):
    run(CONFIG, make_pack(Path(_folder)), Path(_folder) / "run")

"""Fixtures of the composed product: a survey small enough for runs of a fraction of a second."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import quick_hydra
import seeds
import small_runs
import torch

from spectral.configs.readers import ArraysConfig
from spectral.data.packing.pack import pack
from spectral.data.readers.arrays.opening import open_arrays

# One build of the C++ code serves all processes, also those of tests that have a home folder of their own.
os.environ.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
pytest.register_assert_rewrite("offline_runs")
seeds.choose_examples()
seeds.shift_seeds()
seeds.skip_missing_accelerators()
quick_hydra.make_hydra_quick()
gc.disable()  # until the tests are collected
torch.set_num_threads(1)  # for fixtures of several tests; `one_thread` is of each test


def pytest_collection_finish() -> None:
    """Leave what is imported out of garbage collection: it is most objects, and passes over it a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Each test draws the same numbers, alone or after others."""
    seeds.seed_generators()


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hide a tracker's key and settings: tests have a home folder of their own, which child processes inherit."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "NETRC", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Restore Ctrl-C: a shell starts background commands so that they and their children ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(scope="session")
def survey_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 spectra of 96 pixels in an NPZ, three classes."""
    path = tmp_path_factory.mktemp("survey") / "small.npz"
    np.savez(path, **small_runs.arrays())
    return path


@pytest.fixture(scope="session")
def pack_folder(survey_file: Path) -> Path:
    """The same survey, packed."""
    folder = survey_file.parent / "pack"
    pack(open_arrays(str(survey_file)), ArraysConfig(num_workers=1), folder, progress=False)
    return folder


@pytest.fixture
def small(pack_folder: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """The overrides of a small run in `tmp_path / folder`, followed by further ones."""

    def overrides(*more: str, folder: str = "run") -> list[str]:
        data = ["data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path / folder}"]
        return [*data, *small_runs.OVERRIDES, *more]

    return overrides

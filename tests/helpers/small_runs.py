"""Runs of the whole product within a test's process, and the files that they write."""

import contextlib
import functools
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig

import spectral.configs.commands
import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
import sweeps.config  # noqa: F401  (puts the typed configs of sweeps where Hydra finds them)
from spectral import experiment
from spectral.tracking.backends.contract import TrackedAs
from sweeps.launchers.compose import Composer

Overrides = Callable[..., list[str]]
Outcome = tuple[Any, ...]  # of `outcome`
REPOSITORY = Path(__file__).resolve().parents[2]
CLASSES = ("star", "galaxy", "qso")
OVERRIDES = (
    "model.width=4",
    "model.num_blocks=2",
    "model.dropout=0.1",
    "model.head_width=8",
    "split.validation=0.25",
    "split.test=0.2",
    "schedule.batch_size=16",
    "schedule.stages.0.epochs=3",
    "schedule.stages.0.steps=4",
    "optimizer.lr=0.01",
    "lr_schedule=constant",
    "schedule.keep=best",
    "device=cpu",
    "precision=float32",
    "num_threads=1",
    "seed=3",
    "tracker=none",
    "plots=false",
)


def arrays(num: int = 120, length: int = 96, seed: int = 0) -> dict[str, Any]:
    """Arrays of an NPZ survey: noise, with a broad line down in galaxies and up in qso; half the spectra are stars."""
    rng = np.random.default_rng(seed)
    labels = np.array([CLASSES[(0, 0, 1, 2)[row % 4]] for row in range(num)])
    flux = rng.normal(size=(num, length)).astype(np.float32)
    for row, label in enumerate(labels):
        start = rng.integers(10, length - 30)
        flux[row, start : start + 12] += {"star": 0, "galaxy": -5, "qso": 5}[str(label)]
    return {
        "flux": flux,
        "wave": np.linspace(4000.0, 5000.0, length),
        "id": np.array([f"s{row:03d}" for row in range(num)]),
        "label": labels,
    }


def composed(overrides: Iterable[str], name: str = "config") -> DictConfig:
    """The config of a command line, as Hydra composes it.

    It is composed as the jobs of a sweep are, which takes a fraction of the time: that it is the same is tested in
    tests/sweeps/launchers/test_compose.py.
    """
    return _composer(name).compose_own(list(overrides))


@functools.cache
def _composer(name: str) -> Composer:
    setup_globals()
    with initialize_config_dir(version_base="1.3", config_dir=str(REPOSITORY / "conf")):
        loader = GlobalHydra.instance().config_loader()
        return Composer(loader, loader.load_configuration(name, [], RunMode.MULTIRUN))


def run(
    overrides: Iterable[str],
    on_epoch: Callable[[int, dict[str, Any]], None] | None = None,
    tracked_as: TrackedAs | None = None,
) -> Any:
    """The objective of an experiment; what it prints is thrown away."""
    config = composed(overrides)
    with contextlib.redirect_stdout(io.StringIO()):
        return experiment.run(config, *([on_epoch] if on_epoch else []), tracked_as=tracked_as)


def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl without their times, which differ from run to run."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [without_times(json.loads(line)) for line in lines]


def result(folder: Path) -> dict[str, Any]:
    """result.json without its times, and without the revision, which a commit during the tests changes."""
    found = without_times(json.loads((folder / "result.json").read_text()))
    return {key: value for key, value in found.items() if key != "git_revision"}


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.startswith("time/")}


def outcome(folder: Path) -> Outcome:
    """All numbers that a run ends with."""
    return rows(folder), result(folder), (folder / "best.safetensors").read_bytes()


def stages(*stages: dict[str, Any]) -> str:
    """The override that gives a schedule these stages."""
    shown = ",".join("{" + ",".join(f"{k}:{v}" for k, v in stage.items()) + "}" for stage in stages)
    return f"schedule.stages=[{shown}]"


class StoppedError(Exception):
    """Raised by a test to end a run."""


def stop_after(epoch: int) -> Callable[[int, dict[str, Any]], None]:
    """An epoch callback that ends the run after some epoch, once it is saved."""

    def on_epoch(number: int, _row: dict[str, Any]) -> None:
        if number == epoch:
            raise StoppedError

    return on_epoch

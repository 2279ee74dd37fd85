"""The product's training as a function, for the arms of time_to_score.py that are not its own sweeper."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (registers the typed configs)
from helpers.score_space import OBJECTIVE, Job, overrides
from spectral import experiment

CONF = Path(__file__).resolve().parents[2] / "conf"
_composing = threading.Lock()  # Hydra's state belongs to the whole process


def composed(values: list[str]) -> DictConfig:
    """The config of `python run.py VALUES`, without the search."""
    with _composing, initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [*values, "sweep=none"])
    config.sweep = None
    return config


def train(job: Job, name: str, params: Mapping[str, Any], on_score: Callable[[int, float], None]) -> float:
    """Train one configuration in a folder of that name; returns its objective.

    Args:
        on_score: called after each epoch with its number and score; what it raises ends the training.
    """
    folder = (Path(job.folder) / name).as_posix()
    config = composed([*job.overrides, *overrides(params, job), "score_test=false", f"run_dir='{folder}'"])
    objective = experiment.run(config, on_epoch=lambda epoch, row: on_score(epoch, row[OBJECTIVE]))
    assert isinstance(objective, float)
    return objective

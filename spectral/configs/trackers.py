"""Who is told of a run while it goes on: `tracker=NAME`. What a run gives does not depend on it."""

from dataclasses import dataclass, field
from typing import Optional
from urllib.parse import urlsplit

from spectral.configs.fields import choice, number
from spectral.errors import UserError
from spectral.registry import Registry

trackers = Registry("tracker")

MAX_TAG_LENGTH = 64  # Weights & Biases refuses longer ones


@trackers.register("")
@dataclass
class NoneConfig:
    name: str = "none"


@trackers.register("spectral.trackers.wandb:WandbTracker")
@dataclass
class WandbConfig:
    """Null entity: the account's own."""

    name: str = "wandb"
    project: str = "spectral"
    entity: Optional[str] = None
    mode: str = choice("auto", "auto", "online", "offline")
    tags: list[str] = field(default_factory=list)
    upload_weights: str = choice("auto", "auto", "always", "never")
    start_timeout_s: float = number(20.0, above=0)
    finish_timeout_s: float = number(30.0, above=0)

    def check(self, key: str) -> None:
        if not self.project:
            raise UserError(f"{key}.project= is empty: allowed is the name of a project.")
        _check_tags(self.tags, key)


@trackers.register("spectral.trackers.tensorboard:TensorboardTracker")
@dataclass
class TensorboardConfig:
    name: str = "tensorboard"
    start_timeout_s: float = number(20.0, above=0)
    finish_timeout_s: float = number(30.0, above=0)


@trackers.register("spectral.trackers.mlflow:MlflowTracker")
@dataclass
class MlflowConfig:
    """Null uri: MLFLOW_TRACKING_URI of the environment, else a database in the run folder."""

    name: str = "mlflow"
    uri: Optional[str] = None
    experiment: str = "spectral"
    tags: list[str] = field(default_factory=list)
    upload_weights: str = choice("auto", "auto", "always", "never")
    start_timeout_s: float = number(20.0, above=0)
    finish_timeout_s: float = number(30.0, above=0)

    def check(self, key: str) -> None:
        if self.uri and urlsplit(self.uri).password:
            raise UserError(
                f"{key}.uri holds a password, which the run folder would keep: put it into MLFLOW_TRACKING_PASSWORD."
            )
        _check_tags(self.tags, key)


def _check_tags(tags: list[str], key: str) -> None:
    for tag in tags:
        if not 0 < len(tag) <= MAX_TAG_LENGTH:
            raise UserError(f"{key}.tags: '{tag}' is not a tag: allowed are 1 to {MAX_TAG_LENGTH} letters.")

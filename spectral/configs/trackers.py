"""Where a run is logged while it trains: `tracker=NAME`. Its results do not depend on it."""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Optional
from urllib.parse import urlsplit

from spectral.configs.fields import choice, number
from spectral.configs.registry import Registry
from spectral.errors import UserError, nearest
from spectral.wandb_modes import WANDB_ALIASES, WANDB_MODE, WANDB_MODES

trackers = Registry("tracker")

# The path comes first: without it `spectral` may not be found.
LOOK_FOR_KEY = "import sys; sys.path[:] = {path!r}; from spectral.tracking.backends.wandb_key import main; main()"
LOOK_TIMEOUT_S = 20.0
MAX_TAG_LENGTH = 64  # Weights & Biases refuses longer ones


@trackers.register("")
@dataclass
class NoneConfig:
    name: str = "none"


@trackers.register("spectral.tracking.backends.wandb:WandbTracker")
@dataclass
class WandbConfig:
    """Null entity: the account's own."""

    name: str = "wandb"
    project: str = "spectral"  # where the runs are listed
    entity: Optional[str] = None
    mode: str = choice("auto", "auto", "online", "offline")
    tags: list[str] = field(default_factory=list)  # of the run
    upload_weights: str = choice("auto", "auto", "always", "never")  # auto: of single runs, and of final ones
    start_timeout_s: float = number(20.0, above=0)  # how long it may take to start or to reach its server
    finish_timeout_s: float = number(30.0, above=0)  # how long the end of a run waits for it

    def check(self, key: str) -> None:
        if not self.project:
            raise UserError(f"{key}.project= is empty: allowed is the name of a project.")
        _check_tags(self.tags, key)
        self._check_mode(key)

    def _check_mode(self, key: str) -> None:
        """What the environment says counts where the config leaves it open, and the library reads it in any case."""
        named = os.environ.get(WANDB_MODE, "")
        meant = WANDB_ALIASES.get(named, named)
        if meant and meant not in WANDB_MODES:
            raise UserError(f"{WANDB_MODE}={named} is not a mode of Weights & Biases: {nearest(named, WANDB_MODES)}.")
        is_open = self.mode == "auto"
        if (meant if is_open else self.mode) == "online" and (why := _why_no_key()):
            asked = f"{WANDB_MODE}={named}" if is_open else f"{key}.mode={self.mode}"
            otherwise = f"unset {WANDB_MODE}" if is_open else f"say {key}.mode=auto"
            raise UserError(
                f"{asked} needs a key of Weights & Biases, and {why}: give it with `wandb login` or WANDB_API_KEY, or "
                f"{otherwise} to keep runs offline."
            )


@cache
def _why_no_key() -> str:
    """The library itself looks, in a process of its own. Empty if it finds a key, or cannot be asked."""
    command = [sys.executable, "-c", LOOK_FOR_KEY.format(path=sys.path)]
    with suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LOOK_TIMEOUT_S)
        return found.stdout.strip()
    return ""


@trackers.register("spectral.tracking.backends.tensorboard:TensorboardTracker")
@dataclass
class TensorboardConfig:
    name: str = "tensorboard"
    start_timeout_s: float = number(20.0, above=0)  # how long it may take to start or to reach its server
    finish_timeout_s: float = number(30.0, above=0)  # how long the end of a run waits for it


@trackers.register("spectral.tracking.backends.mlflow:MlflowTracker")
@dataclass
class MlflowConfig:
    """Null uri: MLFLOW_TRACKING_URI of the environment, else a database in the run folder."""

    name: str = "mlflow"
    uri: Optional[str] = None
    experiment: str = "spectral"  # where the runs are listed
    tags: list[str] = field(default_factory=list)  # of the run
    upload_weights: str = choice("auto", "auto", "always", "never")  # auto: of single runs, and of final ones
    start_timeout_s: float = number(20.0, above=0)  # how long it may take to start or to reach its server
    finish_timeout_s: float = number(30.0, above=0)  # how long the end of a run waits for it

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

"""What the commands next to run.py take."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spectral.configs.data import readers
from spectral.configs.fields import check_fields, choice, device_name, number
from spectral.configs.messages import config_sentence
from spectral.errors import UserError


@dataclass
class ApplyConfig:
    """What every command takes that applies a run to data."""

    run: str = MISSING
    data: Any = None  # null, where the command allows it: the run's own survey
    device: str = device_name()
    precision: str = choice("auto", "auto", "float32", "bfloat16")
    num_threads: Optional[int] = number(None, at_least=1)
    evaluate_batch_size: int = number(256, at_least=1)
    cache_dir: str = "outputs/surveys"


@dataclass
class EvaluateConfig(ApplyConfig):
    """python -m spectral.evaluate"""

    on: str = choice("auto", "auto", "train", "validation", "test", "all")
    out: Optional[str] = None  # a folder for the scores and predictions; null: they are printed only


@dataclass
class PredictConfig(ApplyConfig):
    """python -m spectral.predict"""

    out: str = MISSING
    format: str = choice("auto", "auto", "csv", "contest", "probabilities", "parquet")
    keep_columns: Any = False  # true: all columns that the data has for its spectra; or a list of their names


@dataclass
class PackConfig:
    """python -m spectral.pack"""

    data: Any = None
    out: str = MISSING


Command = TypeVar("Command", EvaluateConfig, PredictConfig, PackConfig)

for _command in (EvaluateConfig, PredictConfig, PackConfig):
    _name = _command.__name__.removesuffix("Config").lower()
    ConfigStore.instance().store(f"{_name}_config", _command, provider="spectral")


def typed_command(config: DictConfig, kind: type[Command], example: str) -> Command:
    """Check a command's composed config and give it as its dataclass, the data node typed by its reader.

    Args:
        example: how the command is given, for the sentence that names a missing key.

    Raises:
        UserError: a key is missing or not allowed.
    """
    missing = sorted(str(key) for key in OmegaConf.missing_keys(config) if "." not in str(key))
    if missing:
        raise UserError(f"{missing[0]}=... is missing: {example}.")
    fields = [f.name for f in dataclasses.fields(kind)]
    try:
        # Plain values: what +key=value has added to the typed config would pass unseen.
        values = OmegaConf.to_container(config, resolve=True)
        command = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))
    except OmegaConfBaseException as error:
        raise UserError(config_sentence(error, fields)) from error
    assert isinstance(command, kind)
    check_fields(command, "")
    command.data = None if config.data is None else readers.typed(config.data)
    return command

"""What the commands next to run.py take."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spectral.configs.data import readers
from spectral.configs.fields import check_fields, choice, device_name, number, numbers, numbers_by_class
from spectral.configs.messages import config_sentence
from spectral.configs.typed_nodes import store_schema
from spectral.configs.whole_value import plain
from spectral.errors import UserError


@dataclass
class ShardsConfig:
    """What every command takes whose work is divided among jobs."""

    shards: int = number(1, at_least=1)  # jobs that the launcher runs
    shard: Optional[int] = number(None, at_least=0)  # one of them, which is run here; null: all

    def check(self) -> None:
        """Raises UserError if two keys do not fit together."""
        if self.shard is not None and self.shard >= self.shards:
            raise UserError(
                f"shard={self.shard} is out of range: of shards={self.shards} the last is {self.shards - 1}."
            )


@dataclass
class ApplyConfig:
    """What every command takes that applies a run to data."""

    run: str = MISSING  # the folder of a run; predict also takes its ONNX file
    data: Any = None  # null, if the command allows it: the run's own survey
    device: str = device_name()  # auto: the first of CUDA and MPS that is there, else the CPU
    precision: str = choice("auto", "auto", "float32", "bfloat16")  # auto: bfloat16 if it is quick
    num_threads: Optional[int] = number(None, at_least=1)  # of the CPU; null: one per core
    kernel: str = choice("auto", "auto", "native", "torch")  # auto: native if it is quicker
    evaluate_batch_size: int = number(256, at_least=1)  # spectra per batch
    evaluate_shifts: Optional[list[int]] = numbers(None, min_items=0)  # pixels, [] for none; null: those of the run
    cache_dir: str = "outputs/surveys"  # the folder of packed surveys


@dataclass
class LoadConfig:
    """`spectral.load_run`, from Python."""

    device: str = device_name()
    precision: str = choice("auto", "auto", "float32", "bfloat16")
    num_threads: Optional[int] = number(None, at_least=1)
    batch_size: int = number(256, at_least=1)


@dataclass
class EvaluateConfig(ApplyConfig):
    """python -m spectral.evaluate"""

    on: str = choice("auto", "auto", "train", "validation", "test", "all")  # auto: test, of other data all
    out: Optional[str] = None  # a folder for the scores and predictions; null: they are printed only


@dataclass
class PredictConfig(ShardsConfig, ApplyConfig):
    """python -m spectral.predict"""

    out: str = MISSING  # the file of predictions
    format: str = choice("auto", "auto", "csv", "contest", "probabilities", "parquet", "fits")  # auto: by its ending
    keep_columns: Any = False  # true: all columns that the data has for its spectra; or a list of their names
    on_bad: str = choice("skip", "skip", "error")  # skip: a spectrum that cannot be classified has no class, but a row
    reject: Optional[float] = number(None, above=0, at_most=1)  # precision wanted of those that are not rejected
    reject_below: Optional[float] = number(None, at_least=0, at_most=1)  # or: the probability below which they are
    priors: Any = None  # class shares of the data: by name, in class order, or `estimate`; null: as in training
    overwrite: bool = False  # replace the file that is there
    rows_per_part: int = number(8192, at_least=1)  # spectra that are kept at a time: the most that a kill can lose

    def check(self) -> None:
        """Raises UserError if two keys do not fit together, or the priors are none."""
        super().check()
        if isinstance(self.priors, str) and self.priors != ESTIMATE:
            raise UserError(f"priors={self.priors} is not known: give {ESTIMATE}, or a number for each class.")
        if self.priors is not None and self.priors != ESTIMATE:
            check_fields(Priors(self.priors), "")
            self.priors = plain(self.priors)  # Hydra takes a class that is called 1 for a number
        if self.reject is not None and self.reject_below is not None:
            raise UserError("reject and reject_below each set a threshold: leave out one.")


@dataclass
class Priors:
    """Class shares of the data that a run is applied to."""

    priors: Any = numbers_by_class(None, sum_to_1=True, at_least=0, at_most=1)


@dataclass
class PackConfig(ShardsConfig):
    """python -m spectral.pack"""

    data: Any = None  # what is packed
    out: str = MISSING  # a new folder for the pack
    cache_dir: str = "outputs/surveys"  # of what readers keep, such as the list of a survey's files


@dataclass
class ExportConfig:
    """python -m spectral.export"""

    run: str = MISSING  # the folder of a run
    out: str = MISSING  # the file
    format: str = choice("auto", "auto", "onnx", "card")  # auto: by its ending
    overwrite: bool = False  # replace a model card whose text is another, as after it was edited


ESTIMATE = "estimate"  # of priors
Command = TypeVar("Command", EvaluateConfig, PredictConfig, PackConfig, ExportConfig)

for _command in (EvaluateConfig, PredictConfig, PackConfig, ExportConfig):
    _name = _command.__name__.removesuffix("Config").lower()
    store_schema(f"{_name}_config", _command)


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
    if isinstance(command, ShardsConfig):
        command.check()
    if not isinstance(command, ExportConfig):
        command.data = None if config.data is None else readers.typed(config.data)
    return command

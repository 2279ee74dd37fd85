"""What `python -m spectral.pretrain` takes: the keys of run.py that need no labels, and which pixels are masked."""

from dataclasses import dataclass, field
from typing import Any, Optional

from omegaconf import DictConfig

from spectral.configs.fields import choice, device_name, number
from spectral.configs.inputs import InputsConfig
from spectral.configs.root import REGISTRIES, check_cycles, typed_as
from spectral.configs.stages import ScheduleConfig
from spectral.configs.typed_nodes import store_schema
from spectral.errors import UserError

OF_LABELS = ("sampler", "loss", "decision")  # groups that a training without labels has no use for
PRETRAINING_REGISTRIES = tuple(registry for registry in REGISTRIES if registry.group not in OF_LABELS)


@dataclass
class MaskingConfig:
    """Which pixels are masked."""

    span_pixels: int = number(50, at_least=1)  # pixels that are masked in a row
    masked_fraction: float = number(0.3, above=0, at_most=0.9)  # share of the pixels that is masked


@dataclass
class PretrainingConfig(MaskingConfig):
    """What `python -m spectral.pretrain` takes. Keys of run.py mean the same here."""

    seed: int = number(0, at_least=0, at_most=2**31 - 1)  # of weights, batches, masks and dropout
    run_dir: Optional[str] = None  # the folder of the run; that of an unfinished run resumes it
    objective: str = choice("val/loss", "val/loss", "train/loss")  # schedule.keep=best keeps the weights of the lowest
    device: str = device_name()  # auto: the first of CUDA and MPS that is there, else the CPU
    precision: str = choice("auto", "auto", "float32", "bfloat16")  # auto: bfloat16 if it is quick
    layout: str = choice("auto", "auto", "channels_last", "contiguous")  # auto: channels_last but on MPS
    compile: str = choice("auto", "auto", "always", "never")  # always: by torch.compile; auto does not
    num_threads: Optional[int] = number(None, at_least=1)  # of the CPU; null: one per core
    kernel: str = choice("auto", "auto", "native", "torch")  # auto: native if it is quicker
    cache_dir: str = "outputs/surveys"  # the folder of packed surveys, which runs share
    data: Any = None
    split: Any = None
    transform: Any = None
    inputs: InputsConfig = field(default_factory=InputsConfig)
    model: Any = None
    optimizer: Any = None
    lr_schedule: Any = None
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    tracker: Any = None

    @property
    def objectives(self) -> list[str]:
        return [self.objective]


store_schema("pretraining_config", PretrainingConfig)


def typed_pretraining(config: DictConfig) -> PretrainingConfig:
    """Check a composed config and give it as dataclasses, each group by its registry.

    Raises:
        UserError: for the first key, type or range that is not allowed.
    """
    pretraining: PretrainingConfig = typed_as(config, PretrainingConfig, PRETRAINING_REGISTRIES)
    pretraining.schedule.check("schedule")
    check_cycles(pretraining)
    _check_unused(pretraining)
    return pretraining


def _check_unused(pretraining: PretrainingConfig) -> None:
    """Raise UserError for an option that would do nothing."""
    schedule = pretraining.schedule
    given = {
        "inputs.augmentations": [one.name for one in pretraining.inputs.augmentations],
        "schedule.mixup_alpha": schedule.mixup_alpha,
        "schedule.num_snapshots": schedule.num_snapshots,
    }
    given |= {f"schedule.stages[{i}].loss": getattr(s.loss, "name", None) for i, s in enumerate(schedule.stages)}
    for key, value in given.items():
        if value:
            raise UserError(
                f"{key}={value} is not for pretraining, which has no classes and changes no spectra: leave it out."
            )

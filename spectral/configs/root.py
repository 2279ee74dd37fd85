"""The whole experiment's config: top-level keys, one node a config group, and the check of them all."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spectral.configs import readers as _readers  # noqa: F401  (registers itself)
from spectral.configs import simulated as _simulated  # noqa: F401  (registers itself)
from spectral.configs import survey_files as _survey_files  # noqa: F401  (registers itself)
from spectral.configs.cache import remembered
from spectral.configs.class_lists import check_by_class
from spectral.configs.data import readers
from spectral.configs.decision import decisions
from spectral.configs.fields import check_fields, choice, device_name, number, numbers
from spectral.configs.inputs import InputsConfig, transforms
from spectral.configs.losses import losses
from spectral.configs.lr_schedule import CosineConfig, lr_schedules
from spectral.configs.messages import config_sentence
from spectral.configs.models import models
from spectral.configs.objective import Objectives, check_objective
from spectral.configs.optimizer import optimizers
from spectral.configs.registry import Registry
from spectral.configs.sampler import FractionsConfig, samplers
from spectral.configs.split import splits
from spectral.configs.stages import ScheduleConfig
from spectral.configs.trackers import trackers
from spectral.configs.typed_nodes import store_schema
from spectral.errors import UserError, nearest

REGISTRIES = (
    readers,
    splits,
    transforms,
    samplers,
    models,
    losses,
    optimizers,
    lr_schedules,
    decisions,
    trackers,
)


@dataclass
class ExperimentConfig(Objectives):
    """What `python run.py` takes. A group's node is Any here and typed by its registry.

    A run of an earlier version has the default of each key that it lacks (spectral/configs/stored.py): a key that is
    added needs the default that changes nothing, a group that is added the name of such a part in place of None.
    """

    seed: int = number(0, at_least=0, at_most=2**31 - 1)  # of weights, batches and dropout
    run_dir: Optional[str] = None  # the folder of the run; that of an unfinished run resumes it
    init: Optional[str] = None  # folder of a finished run whose weights this one begins with; null: fresh ones
    init_wave: str = choice("same", "same", "any")  # any: that run may have been trained on other wavelengths
    distill: Optional[str] = None  # folder of a finished run or ensemble whose probabilities this one learns too
    distill_on: str = choice("spectra", "spectra", "batches")  # spectra: as they are; batches: augmented and mixed
    distill_weight: float = number(
        0.5, at_least=0, at_most=1
    )  # share of the loss that comes from the teacher's probabilities
    distill_temperature: float = number(1.0, above=0)  # above 1: flatter probabilities of both
    objective: Any = "val/macro_f1"  # a metric name, or a list of them
    device: str = device_name()  # auto: the first of CUDA and MPS that is there, else the CPU
    precision: str = choice("auto", "auto", "float32", "bfloat16")  # auto: bfloat16 if it is quick
    layout: str = choice("auto", "auto", "channels_last", "contiguous")  # auto: channels_last but on MPS
    compile: str = choice("auto", "auto", "always", "never")  # always: by torch.compile; auto does not
    num_threads: Optional[int] = number(None, at_least=1)  # of the CPU; null: one per core
    kernel: str = choice("auto", "auto", "native", "torch")  # auto: native if it is quicker
    evaluate_batch_size: int = number(256, at_least=1)  # spectra per batch outside training
    evaluate_shifts: list[int] = numbers([], min_items=0)  # pixels; class probabilities are averaged over such shifts
    score_test: bool = True  # false: hold the test split back; the same command with true scores it later
    cache_dir: str = "outputs/surveys"  # the folder of packed surveys, which runs share
    data: Any = None
    split: Any = None
    transform: Any = None
    inputs: InputsConfig = field(default_factory=InputsConfig)
    sampler: Any = None
    model: Any = None
    loss: Any = None
    optimizer: Any = None
    lr_schedule: Any = None
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    decision: Any = None
    tracker: Any = None
    plots: bool = True  # false: no pictures in the run folder
    sweep: Any = None  # the search over many experiments reads it (sweeps/config.py); one experiment does not


store_schema("experiment_config", ExperimentConfig)


def typed(config: DictConfig) -> ExperimentConfig:
    """Check a composed config and give it as dataclasses, each group by its registry.

    Raises:
        UserError: for the first key, type or range that is not allowed.
    """
    experiment: ExperimentConfig = typed_as(config, ExperimentConfig, REGISTRIES)
    experiment.schedule.check("schedule")
    check_cycles(experiment)
    _check_by_class(experiment)
    return experiment


def typed_as(config: DictConfig, kind: type, registries: Sequence[Registry]) -> Any:
    """A composed config as the dataclass `kind`, each group by its registry. Raises UserError as `typed`."""
    fields = [f.name for f in dataclasses.fields(kind)]
    if unknown := [str(key) for key in config if key not in fields]:
        raise UserError(f"{unknown[0]} is not a known key: {nearest(unknown[0], fields)}.")
    try:
        # Plain values: what +schedule.key=value has added to a typed node would pass unseen.
        values: Any = OmegaConf.to_container(config, resolve=True)
        parts = {registry.group: values.pop(registry.group, None) for registry in registries}
        run = _typed_top(values, kind)
    except OmegaConfBaseException as error:
        raise UserError(config_sentence(error, fields)) from error
    for registry in registries:
        setattr(run, registry.group, registry.typed(parts[registry.group]))
    run.inputs.check("inputs")
    return run


def check_cycles(experiment: Any) -> None:
    """Raise UserError for cycles of the learning rate that do not fit into a stage."""
    for i, stage in enumerate(experiment.schedule.stages):
        lr_schedule = stage.lr_schedule or experiment.lr_schedule
        if isinstance(lr_schedule, CosineConfig):
            key = f"schedule.stages[{i}].lr_schedule" if stage.lr_schedule else "lr_schedule"
            lr_schedule.check_cycles(key, stage.epochs)


def _check_by_class(experiment: ExperimentConfig) -> None:
    """Raise UserError for values by class that are wrong by data.class_names, if it is given."""
    names = getattr(experiment.data, "class_names", None)
    check_by_class(experiment.sampler, "sampler", names)
    check_by_class(experiment.loss, "loss", names)
    for i, stage in enumerate(experiment.schedule.stages):
        check_by_class(stage.loss, f"schedule.stages[{i}].loss", names)
    if isinstance(experiment.sampler, FractionsConfig):
        experiment.sampler.check_batch(experiment.schedule.batch_size, names)


@remembered
def _typed_top(values: Any, kind: type) -> Any:
    """What stands outside the groups."""
    run: Any = OmegaConf.to_object(OmegaConf.unsafe_merge(OmegaConf.structured(kind), values))
    check_fields(run, "")
    _check_named(run)
    return run


def _check_named(experiment: Any) -> None:
    """Raise UserError if the folder has no name, or an objective none that any run reports."""
    if not experiment.run_dir:
        raise UserError(f"run_dir={experiment.run_dir} is not a folder: give its path, or leave run_dir out.")
    if not isinstance(experiment, Objectives):  # a pretraining has losses alone
        return
    names = [experiment.objective] if isinstance(experiment.objective, str) else experiment.objective
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UserError(
            f"objective={experiment.objective} is not the name of a metric: allowed is one, such as val/macro_f1, or a "
            "list of them."
        )
    for name in names:
        check_objective(name)

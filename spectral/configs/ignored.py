"""Options that do nothing, or mislead, next to another one, and what is said of them. Imports nothing heavy."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from spectral.configs.baseline import OPTIONS, BaselineConfig
from spectral.configs.data import GridConfig
from spectral.configs.losses import SoftF1Config
from spectral.configs.lr_schedule import PlateauConfig
from spectral.configs.pretraining import PretrainingConfig
from spectral.configs.root import ExperimentConfig
from spectral.configs.sampler import ScheduleSamplerConfig
from spectral.configs.stages import ScheduleConfig

REPLACED_BY_WIDTHS = ("model.width", "model.num_blocks")
REPLACED_BY_STAGES = ("loss", "optimizer", "lr_schedule")
GRID_STEPS = ("start_angstrom", "stop_angstrom", "step")
REPLACING_STEPS = {
    "native": "does nothing without data.grid.kind: the pixels stay the source's",
    "listed": "does nothing with data.grid.kind=listed: data.grid.wave_angstrom lists the pixels",
}
OF_TEACHER = ("distill_on", "distill_weight", "distill_temperature")


def ignored_options(config: ExperimentConfig, overrides: Sequence[str]) -> list[str]:
    """A sentence for each option that the command sets and that changes nothing, or compares what cannot be compared.

    Args:
        overrides: of the command: a default next to another option is no mistake.
    """
    replaced = [f"{override} does nothing: {why}." for override in overrides if (why := replacement(config, override))]
    found = (
        _next_to_form(config),
        _without_teacher(config),
        _without_their_own(config),
        ignored_of_data(config.data),
        _moving(config),
    )
    return [*replaced, *itertools.chain.from_iterable(found), *ignored_of_stages(config)]


def ignored_of_stages(config: ExperimentConfig | PretrainingConfig) -> list[str]:
    """A sentence for each option that is of no use in a stage, by command or by default."""
    return [*_too_patient(config), *_after_the_best(config.schedule)]


def replacement(config: ExperimentConfig, override: str) -> str:
    """What counts in place of what an override sets, as the end of a sentence; empty if the override counts."""
    key = override.partition("=")[0].lstrip("+")
    widths = getattr(config.model, "widths", None)
    if key in REPLACED_BY_WIDTHS and widths is not None and hasattr(config.model, "num_blocks"):
        return f"model.widths={list(widths)} gives the number of blocks and their widths"
    return _of_stages(config, key)


def _of_stages(config: ExperimentConfig, key: str) -> str:
    """As `replacement`, of a key that every stage has for itself."""
    group = key.partition(".")[0]
    if group not in REPLACED_BY_STAGES:
        return ""
    names = ("lr", group) if key == "optimizer.lr" else (group,)
    own = [next((name for name in names if getattr(stage, name) is not None), "") for stage in config.schedule.stages]
    if not all(own):
        return ""
    value = getattr(config.schedule.stages[0], own[0])
    return f"each stage has its own, the first schedule.stages.0.{own[0]}={getattr(value, 'name', value)}"


def _next_to_form(config: ExperimentConfig) -> Iterator[str]:
    stages = {f"schedule.stages[{i}].loss": stage.loss for i, stage in enumerate(config.schedule.stages)}
    for key, loss in {"loss": config.loss, **stages}.items():
        if isinstance(loss, SoftF1Config) and loss.form == "mean_of_logs" and loss.eps != SoftF1Config().eps:
            yield f"{key}.eps={loss.eps:g} does nothing: {key}.form=mean_of_logs needs no eps."


def _without_teacher(config: ExperimentConfig) -> Iterator[str]:
    if config.distill is not None:
        return
    for key in OF_TEACHER:
        if (value := getattr(config, key)) != getattr(ExperimentConfig(), key):
            yield f"{key}={value} does nothing: there is no teacher without distill=FOLDER."


def _without_their_own(config: ExperimentConfig) -> Iterator[str]:
    """Options of something that is not asked for."""
    if config.init is None and config.init_wave != "same":
        yield f"init_wave={config.init_wave} does nothing: there are no weights to begin with without init=FOLDER."
    schedule = config.schedule
    if schedule.mixup_alpha is None and schedule.mixup_classes != "across":
        yield f"schedule.mixup_classes={schedule.mixup_classes} does nothing without schedule.mixup_alpha."


def ignored_of_data(data: Any) -> list[str]:
    """A sentence for each option of a reader that changes nothing; a survey that is packed has none of them."""
    return [*_of_baseline(data), *_of_source(data)]


def _of_baseline(data: Any) -> Iterator[str]:
    baseline = getattr(data, "baseline", BaselineConfig())
    for option in dict.fromkeys(OPTIONS.values()):
        value = getattr(baseline, option)
        if option not in baseline.used and value != getattr(BaselineConfig(), option):
            yield f"data.baseline.{option}={value:g} does nothing with data.baseline.method={baseline.method}."


def _moving(config: ExperimentConfig) -> Iterator[str]:
    """What compares training losses of epochs whose batches have other class shares."""
    sampler, schedule = config.sampler, config.schedule
    if not isinstance(sampler, ScheduleSamplerConfig) or not sampler.moves:
        return
    why = "with sampler=schedule: the class shares of the batches move, so training losses of epochs cannot be compared"
    if config.objectives[0] == "train/loss" and (schedule.keep == "best" or schedule.patience_epochs is not None):
        yield (
            f"objective=train/loss does not tell the best epoch {why}; set schedule.keep=last without "
            "schedule.patience_epochs, or choose by a score of validation."
        )
    stages = {f"schedule.stages[{i}].lr_schedule": stage.lr_schedule for i, stage in enumerate(schedule.stages)}
    for key, lr_schedule in {"lr_schedule": None if all(stages.values()) else config.lr_schedule, **stages}.items():
        if isinstance(lr_schedule, PlateauConfig):
            yield f"{key}=plateau does not tell when to lower the learning rate {why}; choose another {key}."


def _of_source(data: Any) -> Iterator[str]:
    if getattr(data, "file_key", None) is not None and data.catalog is None:
        yield f"data.file_key={data.file_key} does nothing without data.catalog."
    if hasattr(data, "limit") and data.limit is None and data.limit_draw != type(data)().limit_draw:
        yield f"data.limit_draw={data.limit_draw} does nothing without data.limit."
    grid = getattr(data, "grid", None)
    if grid is None or grid.kind not in REPLACING_STEPS:
        return
    for name in GRID_STEPS:
        # A grid that came from a run, by init, has the usual values of all grids, not those of this data.
        usual = (getattr(type(data)().grid, name), getattr(GridConfig(), name))
        if (value := getattr(grid, name)) not in usual:
            yield f"data.grid.{name}={value:g} {REPLACING_STEPS[grid.kind]}."


def _too_patient(config: ExperimentConfig | PretrainingConfig) -> Iterator[str]:
    """Learning rates that a stage is too short for."""
    for i, stage in enumerate(config.schedule.stages):
        lr_schedule = stage.lr_schedule or config.lr_schedule
        if isinstance(lr_schedule, PlateauConfig) and lr_schedule.first_epoch > stage.epochs:
            key = f"schedule.stages[{i}].lr_schedule" if stage.lr_schedule else "lr_schedule"
            yield (
                f"{key}.patience_epochs={lr_schedule.patience_epochs} does nothing with schedule.stages[{i}].epochs="
                f"{stage.epochs}: the learning rate cannot fall before epoch {lr_schedule.first_epoch}."
            )


def _after_the_best(schedule: ScheduleConfig) -> Iterator[str]:
    """A stage that patience ends has its best epoch behind it."""
    if schedule.patience_epochs is not None and schedule.keep == "last":
        yield (
            f"schedule.patience_epochs={schedule.patience_epochs} ends a stage when its best epoch is over, and "
            "schedule.keep=last keeps the weights of its last epoch: schedule.keep=best keeps the best."
        )

"""Options that do nothing next to another one, and what is said of them. Imports nothing heavy."""

from collections.abc import Iterator, Sequence
from typing import Any

from spectral.configs.losses import SoftF1Config
from spectral.configs.root import ExperimentConfig

REPLACED_BY_WIDTHS = ("model.width", "model.num_blocks")
OF_TEACHER = ("distill_on", "distill_weight", "distill_temperature")


def ignored_options(config: ExperimentConfig, overrides: Sequence[str]) -> list[str]:
    """A sentence for each option that the command sets and that changes nothing.

    Args:
        overrides: of the command: a default next to another option is no mistake.
    """
    return [*_next_to_widths(config.model, overrides), *_next_to_form(config), *_without_teacher(config)]


def _next_to_widths(model: Any, overrides: Sequence[str]) -> Iterator[str]:
    widths = getattr(model, "widths", None)
    if widths is None or not hasattr(model, "num_blocks"):
        return
    for override in overrides:
        if override.partition("=")[0].lstrip("+") in REPLACED_BY_WIDTHS:
            yield f"{override} does nothing: model.widths={list(widths)} gives the number of blocks and their widths."


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

"""From typed configs to the parts of an experiment; shared by training, evaluation and prediction."""

import dataclasses
import hashlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spectral.configs.data import readers
from spectral.configs.decision import decisions
from spectral.configs.losses import losses
from spectral.configs.lr_schedule import lr_schedules
from spectral.configs.optimizer import optimizers
from spectral.configs.root import ExperimentConfig
from spectral.configs.sampler import samplers
from spectral.configs.stages import StageConfig
from spectral.data.packing.pack import open_or_pack
from spectral.data.splits.split import assign_split
from spectral.errors import UserError
from spectral.inputs.batches import Rows
from spectral.scoring.decision import Decision
from spectral.survey import Survey
from spectral.training.class_shares import class_shares
from spectral.training.sampler import Sampler
from spectral.training.trainer import Stage

log = logging.getLogger(__name__)


@dataclass
class Splits:
    """Survey rows of each split, and the class index of every survey row (-1 where it has no label)."""

    train: Rows
    validation: Rows
    test: Rows
    labels: Rows


def open_survey(data: Any, cache_dir: Path) -> Survey:
    """The survey of a typed data config: packed already, or packed now."""
    source = readers.build(data)
    return source if isinstance(source, Survey) else open_or_pack(source, data, cache_dir)


def split_survey(survey: Survey, split: Any) -> tuple[Survey, Splits]:
    """The survey with its split, and the rows of each part.

    Raises:
        UserError: nothing to train on, or nothing to tell apart.
    """
    assert survey.folder is not None
    if "split" in survey.catalog and split.name != "given":
        log.warning("The data has a split of its own, which split=%s does not use: split=given does.", split.name)
    survey = survey.with_split(assign_split(survey.catalog, split, survey.folder))
    parts = Splits(survey.indices("train"), survey.indices("validation"), survey.indices("test"), survey.labels)
    if not len(parts.train):
        raise UserError(f"split={split.name} leaves no labelled spectrum to train on, of {len(survey)} in all.")
    if survey.num_classes < 2:
        raise UserError(f"The data has the one class '{survey.class_names[0]}': training needs two or more.")
    _tell(survey, parts)
    return survey, parts


def _tell(survey: Survey, parts: Splits) -> None:
    """Say what will be trained on, so that a column or a label read wrongly is seen at once."""
    shape = f"{survey.length} points" + (f" in {survey.num_channels} channels" if survey.num_channels > 1 else "")
    sizes = f"{len(parts.train)} training, {len(parts.validation)} validation, {len(parts.test)} test"
    log.info("%d spectra of %s; classes %s; %s.", len(survey), shape, ", ".join(survey.class_names), sizes)
    num_unlabelled = int((parts.labels < 0).sum())
    if num_unlabelled:
        log.warning("%d spectra have no label and belong to no split.", num_unlabelled)
    labels = [parts.labels[rows] for rows in (parts.train, parts.validation, parts.test)]
    for part, found in zip(("training", "validation", "test"), labels, strict=True):
        missing = sorted(set(range(survey.num_classes)) - set(found.tolist()))
        if len(found) and missing:
            log.warning(
                "The %s part has no spectrum of class '%s': its F1 there says nothing.",
                part,
                survey.class_names[missing[0]],
            )


def data_digest(survey: Survey, splits: Splits) -> str:
    """A digest of the spectra and of which of them train, validate and test."""
    digest = hashlib.blake2b(survey.fingerprint.encode(), digest_size=16)
    for rows in (splits.train, splits.validation, splits.test):
        digest.update(f"{len(rows)} ".encode() + rows.tobytes())
    return digest.hexdigest()


def build_sampler(config: ExperimentConfig, splits: Splits, survey: Survey) -> Sampler:
    """The sampler over the training split's positions."""
    sampler: Sampler = samplers.build(
        config.sampler,
        labels=splits.labels[splits.train],
        num_classes=survey.num_classes,
        class_names=survey.class_names,
        batch_size=config.schedule.batch_size,
        num_epochs=sum(stage.epochs for stage in config.schedule.stages),
        seed=config.seed,
    )
    return sampler


def build_stages(config: ExperimentConfig, sampler: Sampler, splits: Splits, survey: Survey) -> list[Stage]:
    """The stages, each with what it names itself or else with the experiment's own loss, optimizer and schedule."""
    priors = torch.from_numpy(class_shares(splits.labels[splits.train], survey.num_classes))
    stages, first_epoch = [], 0
    for stage in config.schedule.stages:
        # Fractions that move during a stage are represented by those at its middle.
        fractions = torch.from_numpy(sampler.fractions(first_epoch + stage.epochs // 2))
        loss = losses.build(
            stage.loss or config.loss,
            num_classes=survey.num_classes,
            class_priors=priors,
            batch_fractions=fractions,
        )
        steps = stage.steps or math.ceil(len(splits.train) / config.schedule.batch_size)
        stages.append(Stage(stage.name, stage.epochs, steps, stage.start, loss, *_optimizing(stage, config)))
        first_epoch += stage.epochs
    return stages


def decision_rule(
    config: ExperimentConfig, output_prior: Tensor, splits: Splits, survey: Survey
) -> Callable[[], Decision]:
    """What makes the run's decision rule, unfitted.

    Args:
        output_prior: [K], the class shares that the network's probabilities stand at, as its loss knows them.
    """

    def make_rule() -> Decision:
        rule: Decision = decisions.build(
            config.decision,
            num_classes=survey.num_classes,
            class_priors=class_shares(splits.labels[splits.train], survey.num_classes),
            output_prior=output_prior.cpu().numpy(),
        )
        return rule

    return make_rule


def _optimizing(stage: StageConfig, config: ExperimentConfig) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """What makes a fresh optimizer for a network, and a learning-rate schedule for the optimizer."""
    optimizer_config = stage.optimizer or config.optimizer
    lr_config = stage.lr_schedule or config.lr_schedule
    if stage.lr is not None:
        optimizer_config = dataclasses.replace(optimizer_config, lr=stage.lr)

    def make_optimizer(network: nn.Module) -> Any:
        return optimizers.build(optimizer_config, parameters=network.parameters())

    def make_lr_schedule(optimizer: torch.optim.Optimizer, num_steps: int) -> Any:
        return lr_schedules.build(lr_config, optimizer=optimizer, num_steps=num_steps)

    return make_optimizer, make_lr_schedule

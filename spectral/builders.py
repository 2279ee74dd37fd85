"""From typed configs to the parts of an experiment; shared by training, evaluation and prediction."""

import dataclasses
import logging
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from spectral.configs.baseline_run import AnyRunConfig
from spectral.configs.class_lists import in_class_order
from spectral.configs.decision import decisions
from spectral.configs.inputs import augmentations
from spectral.configs.losses import losses
from spectral.configs.lr_schedule import ends_of_parts, lr_schedules
from spectral.configs.models import models, runs_natively
from spectral.configs.objective import check_objective, objective_direction
from spectral.configs.optimizer import optimizers
from spectral.configs.pretraining import PretrainingConfig
from spectral.configs.root import ExperimentConfig
from spectral.configs.sampler import samplers
from spectral.configs.stages import StageConfig
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.inputs.augmentations import Augmentation
from spectral.inputs.batches import Rows
from spectral.runs.folder import RunFolder
from spectral.runtime import Runtime, choose_runtime, tune_allocator
from spectral.scoring.bootstrap import group_numbers
from spectral.scoring.decision import Decision
from spectral.scoring.metrics import Labels
from spectral.training.sampler import Sampler
from spectral.training.stage import Stage, TrainingSettings

log = logging.getLogger(__name__)


def check_builders(config: ExperimentConfig) -> None:
    """Load what builds the network and the losses before the data is opened: a part without its contract fails here."""
    models.entry(config.model.name).load()
    for loss in (config.loss, *(stage.loss for stage in config.schedule.stages if stage.loss)):
        losses.entry(loss.name).load()


def check_objectives(config: AnyRunConfig, dataset: Dataset) -> None:
    """Raise UserError for an objective that no run on these spectra reports."""
    for objective in config.objectives:
        check_objective(objective, dataset.class_names)
        if objective.startswith("val/") and not len(dataset.validation):
            instead = ", or objective=train/loss" if isinstance(config, ExperimentConfig) else ""
            raise UserError(
                f"objective={objective} needs validation spectra and split={config.split.name} leaves none: "
                f"give the split a validation share{instead}."
            )


def begin_runtime(config: ExperimentConfig | PretrainingConfig, folder: RunFolder) -> Runtime:
    """How this process runs the network. A run that is resumed keeps its kernel.

    Raises:
        UserError: a device, a compiler or a kernel is not there.
    """
    tune_allocator()
    runtime = choose_runtime(
        config.device,
        config.precision,
        config.layout,
        config.compile,
        config.num_threads,
        config.kernel,
        kernel_before=folder.load_kernel(),
        precision_before=folder.load_precision(),
        has_native=runs_natively(config.model),
    )
    log.info("Running on %s.", runtime)
    return runtime


def with_runtime(resolved_config: dict[str, Any], runtime: Runtime) -> dict[str, Any]:
    """The config as the run folder keeps it: a run that is resumed keeps its kernel."""
    kept = {"kernel": runtime.kernel} | ({"precision": runtime.precision} if runtime.kernel == "native" else {})
    return resolved_config | kept


def build_sampler(config: ExperimentConfig, dataset: Dataset) -> Sampler:
    """The sampler over the training split's positions."""
    sampler: Sampler = samplers.build(
        in_class_order(config.sampler, "sampler", dataset.class_names),
        labels=dataset.labels[dataset.train],
        num_classes=dataset.num_classes,
        class_names=dataset.class_names,
        batch_size=config.schedule.batch_size,
        num_epochs=config.schedule.num_epochs,
        seed=config.seed,
    )
    return sampler


def build_augmentations(config: ExperimentConfig, dataset: Dataset) -> list[Augmentation]:
    """What changes the training spectra.

    Raises:
        UserError: the data lacks what one of them needs, or is too short for it.
    """
    survey = dataset.survey
    context = {"class_names": dataset.class_names, "wave_angstrom": survey.wave_angstrom, "length": survey.length}
    return [augmentations.build(one, **context) for one in config.inputs.augmentations]


def build_stages(config: ExperimentConfig, sampler: Sampler, dataset: Dataset) -> list[Stage]:
    """The stages, each with what it names itself or else with the experiment's own loss, optimizer and schedule."""
    stages, last, former_loss = [], config.schedule.stages[-1], None
    for i, stage in enumerate(config.schedule.stages):
        key, loss = (f"schedule.stages[{i}].loss", stage.loss) if stage.loss else ("loss", config.loss)
        make_loss = _loss_by_epoch(in_class_order(loss, key, dataset.class_names), sampler, dataset)
        steps = stage.steps or math.ceil(len(dataset.train) / config.schedule.batch_size)
        snapshots = ends_of_parts(stage.epochs, config.schedule.num_snapshots) if stage is last else []
        built = (make_loss, *optimizing(stage, config), snapshots)
        changes_loss = former_loss not in (None, loss)
        stages.append(Stage(stage.name, stage.epochs, steps, stage.start, *built, changes_loss=changes_loss))
        former_loss = loss
    return stages


def first_and_last_losses(stages: list[Stage]) -> list[nn.Module]:
    """The losses of each stage's first and last epoch: fractions that move on a line are smallest at one of the two."""
    found, first_epoch = [], 0
    for stage in stages:
        found += [stage.make_loss(epoch) for epoch in (first_epoch, first_epoch + stage.epochs - 1)]
        first_epoch += stage.epochs
    return found


def _loss_by_epoch(loss_config: Any, sampler: Sampler, dataset: Dataset) -> Callable[[int], nn.Module]:
    """What gives a stage's loss for an epoch, by the class fractions of that epoch's batches."""
    priors, names = torch.from_numpy(dataset.class_priors), dataset.class_names
    context = {"num_classes": dataset.num_classes, "class_priors": priors, "class_names": names}

    def make_loss(epoch: int) -> nn.Module:
        fractions = torch.from_numpy(sampler.fractions(epoch))
        loss: nn.Module = losses.build(loss_config, batch_fractions=fractions, **context)
        return loss

    return make_loss


def objects_of(dataset: Dataset, rows: Rows) -> Labels | None:
    """A number for the object of each of some spectra [n]; None if the survey names no groups."""
    groups = dataset.groups_of(rows)
    return None if groups is None else group_numbers(groups)


def training_settings(config: ExperimentConfig | PretrainingConfig, dataset: Dataset) -> TrainingSettings:
    """What holds for all stages."""
    objective = config.objectives[0]
    return TrainingSettings(
        seed=config.seed,
        objective=objective,
        maximize=objective_direction(objective) == "maximize",
        clip_norm=config.schedule.clip_norm,
        ema_decay=config.schedule.ema_decay,
        patience_epochs=config.schedule.patience_epochs,
        keeps_last=config.schedule.keep == "last",
        mixup_alpha=config.schedule.mixup_alpha,
        mixup_within=config.schedule.mixup_classes == "within",
        data_digest=dataset.digest,
        former_data_digest=dataset.former_digest,
    )


def decision_rule(config: AnyRunConfig, output_prior: Tensor, dataset: Dataset) -> Callable[[], Decision]:
    """What makes the run's decision rule, unfitted.

    Args:
        output_prior: [K], the class priors at which the network's probabilities stand, as its loss knows them.
    """

    def make_rule() -> Decision:
        rule: Decision = decisions.build(
            config.decision,
            num_classes=dataset.num_classes,
            class_priors=dataset.class_priors,
            output_prior=output_prior.cpu().numpy(),
        )
        return rule

    return make_rule


def optimizing(
    stage: StageConfig, config: ExperimentConfig | PretrainingConfig
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """What makes a fresh optimizer for a network, and a learning-rate schedule for the optimizer."""
    optimizer_config = stage.optimizer or config.optimizer
    lr_config = stage.lr_schedule or config.lr_schedule
    if stage.lr is not None:
        optimizer_config = dataclasses.replace(optimizer_config, lr=stage.lr)

    def make_optimizer(network: nn.Module) -> Any:
        return optimizers.build(optimizer_config, parameters=network.parameters())

    def make_lr_schedule(optimizer: torch.optim.Optimizer, num_steps: int) -> Any:
        return lr_schedules.build(lr_config, optimizer=optimizer, num_steps=num_steps, num_epochs=stage.epochs)

    return make_optimizer, make_lr_schedule

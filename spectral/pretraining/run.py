"""One pretraining from its config to its result, as experiment.py is for a classifier. Read it from top to bottom."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from rich.console import Console
from torch import nn

from spectral.builders import begin_runtime, optimizing, training_settings, with_runtime
from spectral.configs.ignored import ignored_of_data, ignored_of_stages
from spectral.configs.models import models
from spectral.configs.pasted_overrides import pasted_text
from spectral.configs.pretraining import PretrainingConfig, typed_pretraining
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.inference.logits import batch_source, check_ivar, infer
from spectral.inputs.batches import BatchSource
from spectral.inputs.channels import Measured
from spectral.inputs.inputs import Inputs
from spectral.models.masked_pixels import MaskedPixels, MeanOfPixels
from spectral.plots.pictures import Plots
from spectral.result import network_sizes
from spectral.runs.folder import RunFolder
from spectral.runs.given import begun, resolved
from spectral.runs.interrupted import says_how_to_resume
from spectral.runs.origin import origin
from spectral.runtime import Runtime
from spectral.terminal import Terminal
from spectral.tracking.client import check_installed
from spectral.tracking.run import EpochCallback, RunTracking
from spectral.training.progress import Progress
from spectral.training.sampler import NaturalSampler
from spectral.training.seeding import seed_torch
from spectral.training.stage import Stage
from spectral.training.trainer import Trainer

log = logging.getLogger(__name__)

VALIDATION = "val/loss"


def run(config: DictConfig, on_epoch: EpochCallback = lambda _epoch, _row: None) -> float:
    """Run, or resume, the pretraining of a composed config, in its `run_dir`.

    Args:
        on_epoch: called after each epoch with its number and losses; what it raises ends the run, which can resume.

    Returns:
        The objective, a loss.

    Raises:
        UserError: a mistake in the config or the data.
    """
    pretraining = typed_pretraining(config)
    check_installed(pretraining.tracker)
    folder, console = RunFolder(str(pretraining.run_dir)), Terminal()
    resolved_config = resolved(config)
    with folder.locked():
        pretraining, resolved_config = begun(folder, pretraining, resolved_config, typed_pretraining)
        result = folder.load_result()
        if result:
            console.say(f"The run in {folder.path} is finished: its result is given again.")
        else:
            with says_how_to_resume(console, folder):
                result = _carry_out(pretraining, resolved_config, folder, console, on_epoch)
        console.say(f"{pretraining.objective} of the masked pixels {result[pretraining.objective]:.4f}")
        given = pasted_text("init", str(folder.path))
        console.say(f"run folder: {folder.path}; train with labels from there by {given}")
    return float(result[pretraining.objective])


def _carry_out(
    config: PretrainingConfig,
    resolved_config: dict[str, Any],
    folder: RunFolder,
    console: Console,
    on_epoch: EpochCallback,
) -> dict[str, Any]:
    """Train what is left, and write the result."""
    started = time.perf_counter()
    runtime = begin_runtime(config, folder)
    resolved_config = with_runtime(resolved_config, runtime)
    for sentence in [*ignored_of_stages(config), *ignored_of_data(config.data)]:
        log.warning(sentence)
    dataset = Dataset.without_labels(config.data, config.split, Path(config.cache_dir))
    _check_objective(config, dataset)
    spec = InputSpec.describing(config, dataset)
    inputs = spec.build()
    check_ivar(dataset.survey, inputs)
    seed_torch(config.seed, epoch=0)
    network = _network(config, inputs.num_channels, dataset.survey.length)
    inputs.channels.append(Measured())  # the network that masks pixels takes it off again
    folder.claim(resolved_config)
    wave = dataset.survey.wave_angstrom
    Classifier(config.model, spec, class_names=[], length=dataset.survey.length, wave_angstrom=wave).save(folder)
    source = batch_source(dataset.survey, inputs, runtime.device)
    no_labels = np.zeros(len(dataset.train), dtype=np.int64)
    trainer = Trainer(
        network=network,
        runtime=runtime,
        inputs=inputs,
        source=source,
        rows=dataset.train,
        targets=torch.from_numpy(no_labels).to(runtime.device),
        sampler=NaturalSampler(no_labels, 1, config.schedule.batch_size, config.seed),
        stages=_stages(config, len(dataset.train)),
        settings=training_settings(config, dataset),
        validate=_validation(config, dataset, inputs, source, runtime),
        folder=folder,
        progress=Progress(console, config.objective),
    )
    with RunTracking(config, resolved_config, folder, runtime.device, class_names=()) as tracking:
        trainer.fit(tracking.following(on_epoch))
        result = _result(config, trainer, dataset)
        result["time/last_start_s"] = round(time.perf_counter() - started, 3)
        folder.write_result(result)
        tracking.finished(result, Plots())
    return result


def _check_objective(config: PretrainingConfig, dataset: Dataset) -> None:
    if config.objective == VALIDATION and not len(dataset.validation):
        raise UserError(
            f"objective={VALIDATION} needs validation spectra and split={config.split.name} leaves none: give the "
            "split a validation share, or objective=train/loss."
        )


def _network(config: PretrainingConfig, num_channels: int, length: int) -> MaskedPixels:
    """The network with a decoder for its head, with fresh weights.

    Raises:
        UserError: it cannot be decoded, or the spectra are too short for the spans.
    """
    if config.span_pixels > config.masked_fraction * length:
        raise UserError(
            f"span_pixels={config.span_pixels} is more than masked_fraction={config.masked_fraction:g} of {length} "
            f"pixels: allowed is at most {int(config.masked_fraction * length)}, or a larger masked_fraction."
        )
    network = models.build(config.model, num_channels=num_channels, num_classes=1, length=length)
    try:
        return MaskedPixels(
            network,
            num_channels=num_channels,
            length=length,
            span_pixels=config.span_pixels,
            masked_fraction=config.masked_fraction,
        )
    except ValueError as error:
        raise UserError(f"model={config.model.name} cannot be pretrained: {str(error).rstrip('.')}.") from error


def _stages(config: PretrainingConfig, num_rows: int) -> list[Stage]:
    stages = []
    for stage in config.schedule.stages:
        steps = stage.steps or -(-num_rows // config.schedule.batch_size)
        built = optimizing(stage, config)
        stages.append(Stage(stage.name, stage.epochs, steps, stage.start, lambda _epoch: MeanOfPixels(), *built))
    return stages


def _validation(
    config: PretrainingConfig, dataset: Dataset, inputs: Inputs, source: BatchSource, runtime: Runtime
) -> Callable[[nn.Module, nn.Module], dict[str, float]]:
    """What an epoch ends with: the loss on the validation split, none where it is empty."""

    def validate(network: nn.Module, loss: nn.Module) -> dict[str, float]:
        if not len(dataset.validation):
            return {}
        seed_torch(config.seed, epoch=0)  # the same masks after each epoch; the next epoch seeds again
        sums = infer(network, inputs, source, dataset.validation, runtime, config.schedule.batch_size)
        return {VALIDATION: float(loss(sums, None))}

    return validate


def _result(config: PretrainingConfig, trainer: Trainer, dataset: Dataset) -> dict[str, Any]:
    """What result.json holds, by the keys of docs/run-folder.md."""
    kept = next(row for row in trainer.metrics if row["epoch"] == trainer.best_epoch)
    return {
        "objective": config.objective,
        "best_epoch": trainer.best_epoch,
        "num_epochs": trainer.epoch,
        **{name: kept[name] for name in ("train/loss", VALIDATION) if name in kept},
        **network_sizes(trainer.network),
        "confusion": {},
        "score_test": False,
        "train/num_spectra": len(dataset.train),
        "val/num_spectra": len(dataset.validation),
        "time/train_s": round(trainer.train_s, 3),
        **origin(config.seed, dataset.survey, trainer.runtime),
    }

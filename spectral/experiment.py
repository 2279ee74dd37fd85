"""One experiment from its config to its result: the only place that joins all parts. Read it from top to bottom."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console
from torch import nn

from spectral.builders import (
    begin_runtime,
    build_augmentations,
    build_sampler,
    build_stages,
    check_builders,
    check_objectives,
    decision_rule,
    first_and_last_losses,
    objects_of,
    training_settings,
    with_runtime,
)
from spectral.configs.ignored import ignored_options
from spectral.configs.root import ExperimentConfig, typed
from spectral.data.dataset import Dataset
from spectral.inference.classifier import Classifier
from spectral.inference.initial_run import load_initial, with_initial_grid
from spectral.inference.logits import batch_source, check_ivar, infer
from spectral.inference.teacher import open_teacher, teach, warn_of_mixtures
from spectral.inference.too_short import check_crops, min_pixels_of, warn_of_too_short
from spectral.inputs.batches import BatchSource
from spectral.inputs.inputs import Inputs
from spectral.plots.pictures import Plots
from spectral.result import network_sizes, result_of
from spectral.runs.folder import RunFolder
from spectral.runs.given import begun, resolved
from spectral.runs.interrupted import says_how_to_resume
from spectral.runtime import Runtime
from spectral.score_test import add_test, is_held_back
from spectral.score_weights import finish_snapshots, score_kept
from spectral.scoring.console import print_result
from spectral.scoring.cross_fitting import check_can_hold_out
from spectral.scoring.earlier import with_argmax_scores
from spectral.scoring.scores import FinalScores, argmax_metrics, decision_metrics
from spectral.scoring.split_scores import DECISION, with_prefix
from spectral.terminal import Terminal
from spectral.tracking.backends.contract import TrackedAs
from spectral.tracking.client import check_installed
from spectral.tracking.run import RunTracking
from spectral.training.output_shapes import check_loss, check_network
from spectral.training.progress import Progress
from spectral.training.seeding import seed_torch
from spectral.training.stage import Stage
from spectral.training.trainer import Trainer

log = logging.getLogger(__name__)

EpochCallback = Callable[[int, dict[str, Any]], None]
NetworkCallback = Callable[[Mapping[str, int | str | None]], None]


def run(
    config: DictConfig,
    on_epoch: EpochCallback = lambda _epoch, _row: None,
    on_network: NetworkCallback = lambda _sizes: None,
    tracked_as: TrackedAs | None = None,
) -> float | list[float]:
    """Run, or resume, the experiment of a composed config, in its `run_dir`.

    Args:
        on_epoch: called after each epoch with its number and metrics; what it raises ends the run, which can resume.
        on_network: called with the `network_sizes` once the network is built, before anything is written or trained;
            what it raises ends the run.
        tracked_as: who the run is to its tracker; None for a run of its own, named by its command.

    Returns:
        The objective; a list if the config names several.

    Raises:
        UserError: a mistake in the config or the data.
    """
    experiment = typed(config)
    check_builders(experiment)
    check_installed(experiment.tracker)
    folder, console = RunFolder(str(experiment.run_dir)), Terminal()
    resolved_config = resolved(config)
    with folder.locked():
        experiment, resolved_config = begun(folder, experiment, resolved_config, typed)
        result = with_argmax_scores(folder.load_result(), folder.path)
        if result and is_held_back(experiment, result):
            result = add_test(experiment, resolved_config, folder, result, tracked_as)
        elif result:
            console.say(f"The run in {folder.path} is finished: its result is given again.")
        else:
            with says_how_to_resume(console, folder):
                result = _carry_out(experiment, resolved_config, folder, console, on_epoch, on_network, tracked_as)
        print_result(console, result, folder.path)
    values = [float(result[objective]) for objective in experiment.objectives]
    return values[0] if isinstance(experiment.objective, str) else values


def _carry_out(
    config: ExperimentConfig,
    resolved_config: dict[str, Any],
    folder: RunFolder,
    console: Console,
    on_epoch: EpochCallback,
    on_network: NetworkCallback,
    tracked_as: TrackedAs | None,
) -> dict[str, Any]:
    """Train what is left, score, and write the result."""
    started = time.perf_counter()
    runtime = begin_runtime(config, folder)
    resolved_config = with_runtime(resolved_config, runtime)
    for sentence in ignored_options(config, HydraConfig.get().overrides.task if HydraConfig.initialized() else []):
        log.warning(sentence)
    if not folder.config.exists():  # a run that has begun has it in its config
        config, resolved_config = with_initial_grid(config, resolved_config)
    dataset = Dataset.open(config.data, config.split, Path(config.cache_dir))
    check_objectives(config, dataset)
    sampler = build_sampler(config, dataset)
    stages = build_stages(config, sampler, dataset)
    _check_decision(config, stages, dataset)
    classifier = Classifier.describing(config, dataset)
    inputs = classifier.build_inputs(build_augmentations(config, dataset))
    check_ivar(dataset.survey, inputs)
    seed_torch(config.seed, epoch=0)
    network = classifier.build_network()
    rows = np.concatenate([dataset.train, dataset.validation, dataset.test])
    needed = min_pixels_of(network)
    warn_of_too_short(classifier, needed, dataset.survey, rows)
    check_crops(inputs.augmentations, needed, dataset.survey.length)
    initial = load_initial(config.init, config.init_wave, classifier, network, folder, dataset)
    teacher, taught_by = open_teacher(config, classifier, dataset, folder)
    warn_of_mixtures(config, teacher, first_and_last_losses(stages))
    begun_with = initial | taught_by
    on_network(network_sizes(network))
    _check_outputs(config, classifier, inputs, stages, dataset)
    taught = teach(config, teacher, classifier, dataset, runtime)
    folder.claim(resolved_config)
    folder.note_initial(begun_with)
    folder.note_data(dataset.survey.fingerprint)
    classifier.save(folder)
    source = batch_source(dataset.survey, inputs, runtime.device, with_ivar=bool(taught and taught.needs_ivar))
    trainer = Trainer(
        network=network,
        runtime=runtime,
        inputs=inputs,
        source=source,
        rows=dataset.train,
        targets=torch.from_numpy(dataset.labels[dataset.train]).to(runtime.device),
        sampler=sampler,
        stages=stages,
        settings=training_settings(config, dataset),
        validate=_validation(config, dataset, inputs, source, runtime),
        folder=folder,
        progress=Progress(console, config.objectives[0]),
        teacher=taught,
    )
    with RunTracking(config, resolved_config, folder, runtime.device, dataset.class_names, tracked_as) as tracking:
        trainer.fit(tracking.following(on_epoch))
        scores = score_kept(config, classifier, trainer, dataset)
        finish_snapshots(config, resolved_config, classifier, trainer, dataset, begun_with)
        result = result_of(config, trainer, scores, dataset) | begun_with
        plots = _plot(trainer, scores, dataset) if config.plots else Plots()
        result["time/last_start_s"] = round(time.perf_counter() - started, 3)
        folder.write_result(result)
        tracking.finished(result, plots)
    return result


def _check_outputs(
    config: ExperimentConfig, classifier: Classifier, inputs: Inputs, stages: list[Stage], dataset: Dataset
) -> None:
    """Try the network and the losses before anything is written. What is drawn meanwhile is drawn again."""
    length, num_classes, with_mask = dataset.survey.length, dataset.num_classes, dataset.survey.mask is not None
    with torch.random.fork_rng(devices=[]):
        network = classifier.build_network()  # another one: a forward pass may change a network of a user
        check_network(network, config.model.name, inputs.num_channels, length, num_classes, with_mask)
        for loss in first_and_last_losses(stages):
            check_loss(loss, num_classes)


def _plot(trainer: Trainer, scores: FinalScores, dataset: Dataset) -> Plots:
    from spectral.plots.writing import write_plots  # takes a second, so that a run begins sooner without it

    folder, predictions = trainer.folder, scores.predictions()
    # A test split that is held back has no predictions: it stands last.
    rows = np.concatenate([dataset.validation, dataset.test])[: len(predictions)]
    metrics, best = folder.read_metrics(), trainer.best_epoch
    return write_plots(folder.plots, metrics, best, scores.confusions, predictions, dataset.survey, rows)


def _check_decision(config: ExperimentConfig, stages: list[Stage], dataset: Dataset) -> None:
    """Meet before training what would keep the decision rule from being made or fitted after it."""
    for loss in first_and_last_losses(stages):
        rule = decision_rule(config, loss.get_buffer("output_prior"), dataset)()
        if rule.num_iterations:
            labels, objects = dataset.labels[dataset.validation], objects_of(dataset, dataset.validation)
            check_can_hold_out(labels, dataset.class_names, objects)


def _validation(
    config: ExperimentConfig, dataset: Dataset, inputs: Inputs, source: BatchSource, runtime: Runtime
) -> Callable[[nn.Module, nn.Module], dict[str, float]]:
    """What an epoch ends with: the metrics of argmax on the validation split, none where it is empty.

    Those of the decision rule too if an objective is one of them: to fit the rule takes time.
    """
    rows, objects = dataset.validation, objects_of(dataset, dataset.validation)

    def validate(network: nn.Module, loss: nn.Module) -> dict[str, float]:
        if not len(rows):
            return {}
        logits = infer(network, inputs, source, rows, runtime, config.evaluate_batch_size)
        labels, names = dataset.labels[rows], dataset.class_names
        metrics = argmax_metrics(logits, labels, names)
        if config.scores_decision:
            make_rule = decision_rule(config, loss.get_buffer("output_prior"), dataset)
            by_rule = decision_metrics(logits, labels, names, make_rule, config.seed, objects)
            metrics |= with_prefix(DECISION, by_rule)
        return with_prefix("val", metrics)

    return validate

"""One baseline from its config to its result, as experiment.py is for a network. Read it from top to bottom."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from threadpoolctl import threadpool_limits
from torch import Tensor

from spectral.baselines.channels import Channels
from spectral.baselines.contract import Method, Probabilities, Setting
from spectral.builders import check_objectives, decision_rule, objects_of
from spectral.configs.baseline_run import BaselineRunConfig, typed_baseline
from spectral.configs.ignored import ignored_of_data
from spectral.configs.methods import methods
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.files import write_parquet
from spectral.inference.input_spec import InputSpec
from spectral.inference.logits import batch_source, check_ivar
from spectral.inputs.batches import Rows
from spectral.plots.pictures import Plots
from spectral.runs.folder import RunFolder
from spectral.runs.given import begun, resolved
from spectral.runs.origin import origin
from spectral.runtime import Runtime, set_threads
from spectral.scoring.console import print_result
from spectral.scoring.cross_fitting import check_can_hold_out
from spectral.scoring.scores import FinalScores
from spectral.terminal import Terminal
from spectral.tracking.client import check_installed
from spectral.tracking.run import RunTracking

log = logging.getLogger(__name__)

# A forest may give a class no chance at all. Its logarithm is finite and turns back into the same, but for rounding.
LEAST_PROBABILITY = 1e-300


def run(config: DictConfig) -> float | list[float]:
    """Fit the method of a composed config and score it, in its `run_dir`; a finished run gives its result again.

    No fitted method is stored, so a run that was stopped, or that held its test split back, is fitted from scratch.

    Returns:
        The objective; a list if the config names several.

    Raises:
        UserError: a mistake in the config or the data.
    """
    baseline = typed_baseline(config)
    check_installed(baseline.tracker)
    methods.entry(baseline.method.name).load().check_installed(baseline.method.name)  # type: ignore[attr-defined]  # a Method
    folder, console = RunFolder(str(baseline.run_dir)), Terminal()
    resolved_config = resolved(config)
    with folder.locked():
        baseline, resolved_config = begun(folder, baseline, resolved_config, typed_baseline)
        result = folder.load_result()
        if result and (result["score_test"] or not baseline.score_test):
            console.say(f"The run in {folder.path} is finished: its result is given again.")
        else:
            result = _carry_out(baseline, resolved_config, folder, result)
        print_result(console, result, folder.path)
    values = [float(result[objective]) for objective in baseline.objectives]
    return values[0] if isinstance(baseline.objective, str) else values


def _carry_out(
    config: BaselineRunConfig, resolved_config: dict[str, Any], folder: RunFolder, before: dict[str, Any] | None
) -> dict[str, Any]:
    """Fit, score, and write the result.

    Args:
        before: the result without test scores, of a run that held them back.
    """
    started = time.perf_counter()
    runtime = _runtime(config.num_threads)
    for sentence in ignored_of_data(config.data):
        log.warning(sentence)
    dataset = Dataset.open(config.data, config.split, Path(config.cache_dir))
    if before and not dataset.survey.is_of(before["survey"]["fingerprint"]):
        raise UserError(f"the survey has changed since the run in {folder.path}: its test split is no longer there.")
    check_objectives(config, dataset)
    method = _method(config, dataset, runtime)
    _check_decision(config, dataset)
    inputs = InputSpec.describing(config, dataset).build()
    check_ivar(dataset.survey, inputs)
    if config.inputs.augmentations:
        log.warning("inputs.augmentations does nothing: a baseline is given its training spectra as they are.")
    folder.claim(resolved_config)
    device, names = runtime.device, dataset.class_names
    with (
        RunTracking(config, resolved_config, folder, device, names) as tracking,
        threadpool_limits(runtime.num_threads),
    ):
        source = batch_source(dataset.survey, inputs, device)
        fit_started = time.perf_counter()
        method.fit(Channels(source, inputs, dataset.train), dataset.labels[dataset.train])
        train_s = time.perf_counter() - fit_started
        log.info("Fitted %s to %d spectra in %.1f s.", config.method.name, len(dataset.train), train_s)
        prior = torch.from_numpy(method.output_prior(dataset.class_priors))
        scores = FinalScores(decision_rule(config, prior, dataset), names, config.seed, config.scores_decision)
        test = dataset.test if config.score_test else dataset.test[:0]
        for rows, add in ((dataset.validation, scores.add_validation), (test, scores.add_test)):
            if len(rows):
                probability = method.probabilities(Channels(source, inputs, rows))
                add(_logits(probability), dataset.labels[rows], dataset.ids[rows], dataset.groups_of(rows))
        write_parquet(folder.predictions, scores.predictions())
        result = _result(config, scores, dataset, runtime, train_s)
        plots = _plot(folder, scores, dataset, np.concatenate([dataset.validation, test])) if config.plots else Plots()
        result["time/last_start_s"] = round(time.perf_counter() - started, 3)
        folder.write_result(result)
        tracking.finished(result, plots)
    return result


def _runtime(num_threads: int | None) -> Runtime:
    """Baselines run on the CPU in float32."""
    set_threads(num_threads)
    found = Runtime(
        torch.device("cpu"), "float32", channels_last=False, compile=False, num_threads=torch.get_num_threads()
    )
    log.info("Running on %d CPU threads.", found.num_threads)
    return found


def _method(config: BaselineRunConfig, dataset: Dataset, runtime: Runtime) -> Method:
    """The method, unfitted. Raises UserError if there is one class to train on."""
    there = np.unique(dataset.labels[dataset.train])
    if len(there) < 2:
        only = dataset.class_names[there[0]]
        raise UserError(
            f"method={config.method.name} needs two classes to train on: the training part has '{only}' alone."
        )
    objects = objects_of(dataset, dataset.train)
    setting = Setting(dataset.num_classes, config.seed, runtime.num_threads, objects)
    method: Method = methods.build(config.method, setting=setting)
    return method


def _check_decision(config: BaselineRunConfig, dataset: Dataset) -> None:
    """Meet before training what would keep the decision rule from being fitted after it."""
    equal = torch.full((dataset.num_classes,), 1 / dataset.num_classes)
    if decision_rule(config, equal, dataset)().num_iterations:
        check_can_hold_out(
            dataset.labels[dataset.validation], dataset.class_names, objects_of(dataset, dataset.validation)
        )


def _logits(probability: Probabilities) -> Tensor:
    """What gives these probabilities [n, K] under a softmax: scores are taken of networks' logits."""
    return torch.from_numpy(np.log(probability.clip(LEAST_PROBABILITY)))


def _result(
    config: BaselineRunConfig, scores: FinalScores, dataset: Dataset, runtime: Runtime, train_s: float
) -> dict[str, Any]:
    """What result.json holds, by the keys of docs/run-folder.md."""
    return {
        "objective": config.objective,
        "decision": config.decision.name,
        "method": config.method.name,
        **scores.metrics,
        "confusion": scores.confusions,
        "score_test": config.score_test,
        "train/num_spectra": len(dataset.train),
        "time/train_s": round(train_s, 3),
        **origin(config.seed, dataset.survey, runtime),
    }


def _plot(folder: RunFolder, scores: FinalScores, dataset: Dataset, rows: Rows) -> Plots:
    from spectral.plots.writing import write_plots  # takes a second

    return write_plots(folder.plots, [], None, scores.confusions, scores.predictions(), dataset.survey, rows)

"""The test split of a finished run that had held it back: scored now, with the weights and the rule as they were."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spectral.builders import begin_runtime
from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.files import write_parquet
from spectral.inference.classifier import Classifier
from spectral.inference.predictor import Predictor
from spectral.plots.pictures import Plots
from spectral.runs.folder import RunFolder
from spectral.scoring.scores import FinalScores
from spectral.tracking.backends.contract import TrackedAs
from spectral.tracking.run import RunTracking


def is_held_back(config: ExperimentConfig, result: dict[str, Any]) -> bool:
    """Whether a run's config asks for test scores that its result does not have yet."""
    return config.score_test and not result["score_test"]


def add_test(
    config: ExperimentConfig,
    resolved_config: dict[str, Any],
    folder: RunFolder,
    result: dict[str, Any],
    tracked_as: TrackedAs | None = None,
) -> dict[str, Any]:
    """The result with the test scores, which are then also in the folder, in its plots, and in the tracker.

    Args:
        resolved_config: the config as the run folder keeps it.
        tracked_as: who the run is to its tracker; None for a run of its own.

    Raises:
        UserError: the spectra are no longer those of the run.
    """
    runtime = begin_runtime(config, folder)
    dataset = Dataset.open(config.data, config.split, Path(config.cache_dir))
    if not dataset.survey.is_of(result["survey"]["fingerprint"]):
        raise UserError(f"the survey has changed since the run in {folder.path}: its test split is no longer there.")
    classifier = Classifier.load(folder)
    predictor = Predictor.load(folder, classifier, runtime, config.evaluate_batch_size)
    scores = FinalScores(classifier.build_decision, dataset.class_names, config.seed, config.scores_decision)
    rows = dataset.test
    if len(rows):
        logits = predictor.logits(predictor.source(dataset.survey), rows)
        scores.add_test(logits, dataset.labels[rows], dataset.ids[rows], dataset.groups_of(rows))
        held = folder.load_predictions()
        kept = [held[held["split"] != "test"]] if len(held) else []
        write_parquet(folder.predictions, pd.concat([*kept, scores.predictions()], ignore_index=True))
    confusion = result["confusion"] | scores.confusions
    result = {**result, **scores.metrics, "confusion": confusion, "score_test": True}
    result["decision"] = config.decision.name
    with RunTracking(config, resolved_config, folder, runtime.device, dataset.class_names, tracked_as) as tracking:
        plots = _plot(folder, result, dataset) if config.plots else Plots()
        folder.write_result(result)
        tracking.finished(result, plots)
    return result


def _plot(folder: RunFolder, result: dict[str, Any], dataset: Dataset) -> Plots:
    from spectral.plots.writing import write_plots  # takes a second, and is not always needed

    predictions = folder.load_predictions()
    rows = np.concatenate([dataset.validation, dataset.test])
    return write_plots(
        folder.plots,
        folder.read_metrics(),
        result["best_epoch"],
        result["confusion"],
        predictions,
        dataset.survey,
        rows,
    )

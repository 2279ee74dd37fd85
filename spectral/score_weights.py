"""What a training leaves, scored: the weights that the run keeps, and its snapshots."""

import dataclasses
import logging
from typing import Any

from torch import nn

from spectral.builders import decision_rule
from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.files import write_parquet
from spectral.inference.classifier import Classifier
from spectral.inference.predictor import Predictor
from spectral.inputs.batches import Rows
from spectral.result import snapshot_result
from spectral.runs.folder import RunFolder
from spectral.scoring.scores import FinalScores
from spectral.training.trainer import Trainer

log = logging.getLogger(__name__)


def score_kept(config: ExperimentConfig, classifier: Classifier, trainer: Trainer, dataset: Dataset) -> FinalScores:
    """Score the weights that are kept on validation and, once, on test; write the predictions and the fitted rule."""
    test = dataset.test if config.score_test else dataset.test[:0]
    return _score(config, classifier, trainer.folder, trainer, trainer.best_loss, dataset, test)


def finish_snapshots(
    config: ExperimentConfig,
    resolved_config: dict[str, Any],
    classifier: Classifier,
    trainer: Trainer,
    dataset: Dataset,
    begun_with: dict[str, Any],
) -> None:
    """Score each snapshot on validation alone, and make its folder that of a finished run.

    Args:
        resolved_config: the config as the run folder keeps it.
        begun_with: what the result says of the weights and the teacher that the run began with.
    """
    for epoch in trainer.snapshot_epochs:
        folder, loss = trainer.folder.snapshot(epoch), trainer.stages[-1].make_loss(epoch - 1)
        folder.result.unlink(missing_ok=True)
        own = dataclasses.replace(classifier)
        scores = _score(config, own, folder, trainer, loss, dataset, dataset.test[:0])
        folder.write_config(resolved_config | {"run_dir": str(folder.path), "score_test": False})
        folder.write_result(snapshot_result(config, trainer, scores, dataset, epoch) | begun_with)
        log.info("The weights of epoch %d are also kept in %s.", epoch, folder.path)


def _score(
    config: ExperimentConfig,
    classifier: Classifier,
    folder: RunFolder,
    trainer: Trainer,
    loss: nn.Module,
    dataset: Dataset,
    test: Rows,
) -> FinalScores:
    """Score the weights in a folder; write there the predictions, and the classifier with the rule as it was fitted.

    Args:
        loss: with which the weights were trained.
        test: the rows that are scored as test.
    """
    output_prior = loss.get_buffer("output_prior")
    predictor = Predictor.load(folder, classifier, trainer.runtime, config.evaluate_batch_size)
    make_rule = decision_rule(config, output_prior, dataset)
    scores = FinalScores(make_rule, dataset.class_names, config.seed, config.scores_decision)
    for rows, add in ((dataset.validation, scores.add_validation), (test, scores.add_test)):
        if len(rows):
            add(
                predictor.logits(trainer.source, rows), dataset.labels[rows], dataset.ids[rows], dataset.groups_of(rows)
            )
    classifier.output_prior, classifier.decision_state = output_prior.tolist(), scores.rule.state()
    classifier.save(folder)
    write_parquet(folder.predictions, scores.predictions())
    return scores

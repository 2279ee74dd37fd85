"""What result.json holds of a run that has ended, by the keys of docs/run-folder.md."""

from typing import Any

from torch import nn

from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.runs.origin import origin
from spectral.scoring.scores import FinalScores
from spectral.training.trainer import Trainer


def network_sizes(network: nn.Module) -> dict[str, int | str | None]:
    """The sizes in result.json that are known before training.

    `receptive_field` is None if a position sees the whole spectrum, and "unknown" if the network does not state it.
    """
    return {
        "num_parameters": sum(p.numel() for p in network.parameters()),
        "receptive_field": getattr(network, "receptive_field", "unknown"),
    }


def result_of(config: ExperimentConfig, trainer: Trainer, scores: FinalScores, dataset: Dataset) -> dict[str, Any]:
    """The whole result of a training."""
    return {
        "objective": config.objective,
        "decision": config.decision.name,
        "best_epoch": trainer.best_epoch,
        "num_epochs": trainer.epoch,
        "train/loss": next(row["train/loss"] for row in trainer.metrics if row["epoch"] == trainer.best_epoch),
        **network_sizes(trainer.network),
        **scores.metrics,
        "confusion": scores.confusions,
        "score_test": config.score_test,
        "train/num_spectra": len(dataset.train),
        "time/train_s": round(trainer.train_s, 3),
        **origin(config.seed, dataset.survey, trainer.runtime),
    }

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


def snapshot_result(
    config: ExperimentConfig, trainer: Trainer, scores: FinalScores, dataset: Dataset, epoch: int
) -> dict[str, Any]:
    """The result of the snapshot of an epoch; its time is that since the snapshot before it."""
    place = trainer.snapshot_epochs.index(epoch)
    since = trainer.snapshot_epochs[place - 1] if place else 0
    own = {
        "snapshot": place + 1,
        "best_epoch": epoch,
        "num_epochs": epoch,
        "train/loss": trainer.metrics[epoch - 1]["train/loss"],
        "score_test": False,
        "time/train_s": round(sum(row["time/epoch_s"] for row in trainer.metrics[since:epoch]), 3),
    }
    return result_of(config, trainer, scores, dataset) | own

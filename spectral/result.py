"""What result.json holds of a run that has ended, by the keys of docs/run-folder.md."""

from typing import Any

from torch import nn

from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.runs.provenance import git_revision, versions
from spectral.runtime import Runtime
from spectral.scoring.scores import FinalScores
from spectral.survey import Survey
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
        **identity(config, dataset.survey, trainer.runtime),
    }


def identity(config: ExperimentConfig, survey: Survey, runtime: Runtime) -> dict[str, Any]:
    """What a result can be traced back by."""
    return {
        "seed": config.seed,
        "survey": {
            "fingerprint": survey.fingerprint,
            "folder": str(survey.folder),
            "num_spectra": len(survey),
            "length": survey.length,
            "num_channels": survey.num_channels,
            "class_names": list(survey.class_names),
            "skipped": dict(survey.skipped),
        },
        "runtime": {
            "device": str(runtime.device),
            "precision": runtime.precision,
            "num_threads": runtime.num_threads,
            "kernel": runtime.kernel,
        },
        "git_revision": git_revision(),
        "versions": versions(),
    }

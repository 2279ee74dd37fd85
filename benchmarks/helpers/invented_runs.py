"""Write the folder of an invented run, in which every number is made up. K classes, N spectra."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from spectral.scoring.bootstrap import bootstrap_interval

CLASSES = ("star", "unknown", "galaxy", "qso")
OBJECTIVE = "val/macro_f1"


@dataclass(frozen=True)
class InventedRun:
    """A run that was never trained.

    Args:
        number: of its trial.
        quality: the higher it is, the fewer spectra are misclassified.
        values: axis -> value.
    """

    number: int
    quality: float
    values: dict[str, Any]
    takes_s: float
    num_epochs: int
    is_complete: bool

    def write(
        self, folder: Path, survey: dict[str, Any], catalog: pd.DataFrame, rng: np.random.Generator
    ) -> tuple[float | None, list[float]]:
        """Make the folder; returns the run's objective (None unless it is complete), and the objective by epoch."""
        folder.mkdir()
        result = self._result(survey, catalog) if self.is_complete else {}
        if result:
            (folder / "result.json").write_text(json.dumps(result))
            (folder / "config.yaml").write_text("seed: 0\n")
            (folder / "model.json").write_text(json.dumps({"model": {"name": "reference"}}))
        curve = _curve(result.get(OBJECTIVE, self.quality - 0.1), self.num_epochs, rng)
        rows = "".join(json.dumps(_epoch(epoch, f1, rng)) + "\n" for epoch, f1 in enumerate(curve))
        (folder / "metrics.jsonl").write_text(rows)
        return result.get(OBJECTIVE), curve

    def _result(self, survey: dict[str, Any], catalog: pd.DataFrame) -> dict[str, Any]:
        """result.json, whose metrics are those of `predicted_classes`."""
        labels = catalog["class_index"].to_numpy()
        predicted = predicted_classes(self.number, self.quality, catalog)
        result: dict[str, Any] = {"objective": OBJECTIVE, "best_epoch": self.num_epochs, "num_epochs": self.num_epochs}
        width, num_blocks = self.values["model.width"], len(self.values["model.dilations"])
        result |= {"num_parameters": 2000 * width**2 + 50_000 * num_blocks}
        result["quality"], result["confusion"] = self.quality, {}
        for key, split in (("val", "validation"), ("test", "test")):
            chosen = (catalog["split"] == split).to_numpy()
            result |= _scores(key, labels[chosen], predicted[chosen])
            confusion = confusion_matrix(labels[chosen], predicted[chosen], labels=range(len(CLASSES)))
            result["confusion"][key] = confusion.tolist()
        times = {"time/train_s": self.takes_s, "time/last_start_s": self.takes_s + 20}
        return result | times | {"seed": 0, "survey": survey}


def predicted_classes(number: int, quality: float, catalog: pd.DataFrame) -> NDArray[np.int64]:
    """The predicted class of each spectrum [N]: faint spectra are hard for all runs, and harder for bad runs."""
    rng = np.random.default_rng(number)
    labels, snr = catalog["class_index"].to_numpy(), catalog["snr"].to_numpy()
    difficulty = rng.normal(0, 0.4, len(labels)) - 0.6 * np.log(snr) + 0.5 * (labels > 0)
    wrong = difficulty > 4 * (quality - 0.85) - 0.4
    other = (labels + rng.integers(1, len(CLASSES), len(labels))) % len(CLASSES)
    return np.where(wrong, other, labels)


def write_predictions(run: Path, number: int, catalog: pd.DataFrame) -> None:
    """Write predictions.parquet of a complete run."""
    predicted = predicted_classes(number, json.loads((run / "result.json").read_text())["quality"], catalog)
    logits = np.random.default_rng(number).normal(0, 1, (len(predicted), len(CLASSES)))
    # Wrong predictions are mostly less certain; the largest logit is always that of the predicted class.
    sure = np.where(predicted == catalog["class_index"], 3.0, 1.0)
    rows = np.arange(len(predicted))
    logits[rows, predicted] = logits.max(1) + np.random.default_rng(number + 1).exponential(sure)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    names = np.array(CLASSES)
    columns = {"id": catalog["id"], "split": catalog["split"], "label": catalog["label"], "predicted": names[predicted]}
    columns |= {f"probability/{name}": probabilities[:, k].astype(np.float32) for k, name in enumerate(CLASSES)}
    pd.DataFrame(columns).to_parquet(run / "predictions.parquet")


def _curve(last: float, num_epochs: int, rng: np.random.Generator) -> list[float]:
    """Macro-F1 by epoch, rising from a low value to nearly the last one."""
    epochs = np.arange(1, num_epochs + 1)
    return list((last * (1 - 0.7 * np.exp(-epochs / 4)) + rng.normal(0, 0.01, num_epochs)).tolist())


def _epoch(epoch: int, f1: float, rng: np.random.Generator) -> dict[str, Any]:
    lr = 1e-3 * (1 + np.cos(np.pi * epoch / 20)) / 2
    times = {"time/epoch_s": float(rng.normal(8, 0.3)), "time/train_spectra_per_s": float(rng.normal(9000, 300))}
    loss = 1.4 * np.exp(-epoch / 4) + 0.1
    stage = "train" if epoch < 15 else "fine_tune"
    return {"epoch": epoch + 1, "stage": stage, "lr": lr, "train/loss": loss, OBJECTIVE: f1, **times}


def _scores(key: str, labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, Any]:
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=range(len(CLASSES)), zero_division=0
    )
    low, high = bootstrap_interval(labels, predicted, seed=0, num_resamples=200)
    scores: dict[str, Any] = {
        f"{key}/macro_f1": float(f1.mean()),
        f"{key}/accuracy": float((labels == predicted).mean()),
    }
    scores |= {f"{key}/macro_f1_low": low, f"{key}/macro_f1_high": high, f"{key}/num_spectra": len(labels)}
    for k, name in enumerate(CLASSES):
        scores |= {f"{key}/f1/{name}": float(f1[k]), f"{key}/precision/{name}": float(precision[k])}
        scores |= {f"{key}/recall/{name}": float(recall[k]), f"{key}/num_spectra/{name}": int(support[k])}
    return scores

"""How good predicted classes are. n spectra, K classes. Labels are class indices in 0..K-1, n is at least 1.

All comes from the counts of the confusion matrix. scikit-learn has the same scores (the tests compare the two), but
each run and each job of a search would wait a second for its import.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


def classification_metrics(
    labels: Labels, predicted: Labels, probabilities: NDArray[Any], class_names: Sequence[str]
) -> dict[str, float]:
    """All metrics of one split, between 0 and 1 but for log_loss.

    - macro_f1: mean F1 over the classes that have labels. A class without labels has no F1 to be right about; what is
      called so by mistake lowers the recall of the others.
    - balanced_accuracy: mean recall over the classes that have labels.
    - log_loss: mean -log p(label) in nats, which unlike the training loss compares between losses.
    - precision/NAME, recall/NAME, f1/NAME of each class, 0 if undefined.

    Args:
        labels: [n], true classes.
        predicted: [n], by whatever decision rule.
        probabilities: [n, K].
        class_names: [K].
    """
    counts = confusion(labels, predicted, len(class_names))
    hits, support, called = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    precision, recall, f1 = _ratio(hits, called), _ratio(hits, support), _ratio(2 * hits, support + called)
    metrics = {
        "macro_f1": f1[support > 0].mean(),
        "accuracy": hits.sum() / len(labels),
        "balanced_accuracy": recall[support > 0].mean(),
        "log_loss": _log_loss(labels, probabilities),
    }
    for position, name in enumerate(class_names):
        metrics[f"precision/{name}"] = precision[position]
        metrics[f"recall/{name}"] = recall[position]
        metrics[f"f1/{name}"] = f1[position]
    return {name: float(value) for name, value in metrics.items()}


def confusion(labels: Labels, predicted: Labels, num_classes: int) -> NDArray[np.int64]:
    """Counts [K, K]: row true class, column predicted class."""
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def f1_by_class(labels: Labels, predicted: Labels, num_classes: int, weights: Floats | None = None) -> Floats:
    """F1 of each class [K], 0 if undefined; each spectrum counts with its weight [n], or as one."""
    counts = np.bincount(labels * num_classes + predicted, weights, num_classes**2).reshape(num_classes, num_classes)
    return _ratio(2 * counts.diagonal(), counts.sum(axis=1) + counts.sum(axis=0))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """0 if there is none of the whole."""
    ratio: Floats = np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0)
    return ratio


def _log_loss(labels: Labels, probabilities: NDArray[Any]) -> float:
    # Softmax in float32 sums to 1 only within its rounding.
    values = np.asarray(probabilities, dtype=np.float64)
    of_label = values[np.arange(len(labels)), labels] / values.sum(1)
    # As scikit-learn does it: a probability of 0 counts as the least distance from 1.
    least = np.finfo(np.float64).eps
    return float(-np.log(of_label.clip(least, 1 - least)).mean())

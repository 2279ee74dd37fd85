"""How good predicted classes are. n spectra, K classes. Labels are class indices in 0..K-1, n is at least 1."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

Labels = NDArray[np.int64]


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
    classes = range(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    metrics = {
        "macro_f1": f1[support > 0].mean(),
        "accuracy": accuracy_score(labels, predicted),
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
    matrix: NDArray[np.int64] = confusion_matrix(labels, predicted, labels=range(num_classes))
    return matrix


def _log_loss(labels: Labels, probabilities: NDArray[Any]) -> float:
    # Softmax in float32 sums to 1 only within its rounding, of which scikit-learn warns.
    values = np.asarray(probabilities, dtype=np.float64)
    loss: float = log_loss(labels, values / values.sum(1, keepdims=True), labels=range(values.shape[1]))
    return loss

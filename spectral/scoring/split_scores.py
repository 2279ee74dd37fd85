"""All scores of one split, by argmax and by the run's decision rule. n spectra, K classes. Light: it needs no torch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.scoring.bootstrap import bootstrap_interval
from spectral.scoring.metrics import Labels, classification_metrics, confusion

Probabilities = NDArray[np.float64]
# Between a split and a metric: the metric is that of the run's decision rule. Without it, it is that of argmax.
DECISION = "decision"
OF_THE_SPLIT = ("log_loss", "num_")  # the same whatever decides


def with_prefix(prefix: str, metrics: dict[str, float]) -> dict[str, Any]:
    return {f"{prefix}/{name}": value for name, value in metrics.items()}


def of_decision(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that depend on the decision rule, without those that are the same for every rule."""
    return {name: value for name, value in metrics.items() if not name.startswith(OF_THE_SPLIT)}


def final_metrics(
    probability: Probabilities,
    decided: Labels,
    labels: Labels,
    class_names: Sequence[str],
    seed: int,
    groups: Labels | None = None,
) -> dict[str, float]:
    """All metrics of decisions [n], the bootstrap's 95 % interval of macro-F1, and the spectra of each class.

    Args:
        groups: [n], a number for each object, if the survey has several spectra of one; the interval is over them.
    """
    low, high = bootstrap_interval(labels, decided, seed=seed, groups=groups)
    counts = np.bincount(labels, minlength=len(class_names))
    metrics = classification_metrics(labels, decided, probability, class_names)
    metrics |= {"macro_f1_low": low, "macro_f1_high": high, "num_spectra": len(labels)}
    metrics |= {"num_classes": int((counts > 0).sum())}
    metrics |= {} if groups is None else {"num_groups": len(np.unique(groups))}
    return metrics | {f"num_spectra/{name}": int(count) for name, count in zip(class_names, counts, strict=True)}


def split_scores(
    key: str,
    probability: Probabilities,
    decided: Labels | None,
    labels: Labels,
    class_names: Sequence[str],
    seed: int,
    groups: Labels | None = None,
) -> tuple[dict[str, float], dict[str, list[list[int]]]]:
    """All metrics of a split, and its confusion matrices.

    Args:
        key: of the split, which begins each name.
        decided: [n], by the run's decision rule, whose metrics are then under `<key>/decision`; None if it is argmax.
    """
    argmax = probability.argmax(axis=1)
    metrics = with_prefix(key, final_metrics(probability, argmax, labels, class_names, seed, groups))
    confusions = {key: confusion(labels, argmax, len(class_names)).tolist()}
    if decided is not None:
        ruled = final_metrics(probability, decided, labels, class_names, seed, groups)
        metrics |= with_prefix(f"{key}/{DECISION}", of_decision(ruled))
        confusions[f"{key}/{DECISION}"] = confusion(labels, decided, len(class_names)).tolist()
    return metrics, confusions

"""Scores of a network's logits on a split. n spectra, K classes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from torch import Tensor

from spectral.errors import UserError
from spectral.scoring.bootstrap import bootstrap_interval
from spectral.scoring.decision import Decision
from spectral.scoring.metrics import Labels, classification_metrics, confusion

Probabilities = NDArray[np.float64]
NUM_FOLDS = 5


def softmax(logits: Tensor) -> Probabilities:
    """Probabilities [n, K] of logits [n, K], in float64.

    Raises:
        UserError: logits are not finite.
    """
    num_bad = int((~logits.isfinite()).any(dim=1).sum())
    if num_bad:
        raise UserError(
            f"the network's output is not finite for {num_bad} of {len(logits)} spectra: their flux is too large for "
            "it, or training went astray; try a lower optimizer.lr or schedule.clip_norm=1."
        )
    values: Probabilities = torch.softmax(logits.double(), dim=1).numpy()
    return values


def argmax_metrics(logits: Tensor, labels: Labels, class_names: Sequence[str]) -> dict[str, float]:
    """The metrics an epoch is judged by: those of the most probable class."""
    probability = softmax(logits)
    return classification_metrics(labels, probability.argmax(axis=1), probability, class_names)


def with_prefix(prefix: str, metrics: dict[str, float]) -> dict[str, Any]:
    return {f"{prefix}/{name}": value for name, value in metrics.items()}


def check_can_hold_out(labels: Labels, class_names: Sequence[str]) -> None:
    """Raise UserError if no rule can be fitted to validation labels [n] with some of each class held out."""
    if not len(labels):
        raise UserError("decision=macro_f1 is fitted on validation spectra and there are none: give split.validation.")
    for name, count in zip(class_names, np.bincount(labels, minlength=len(class_names)), strict=True):
        if count == 1:
            raise UserError(
                f"decision=macro_f1 needs two validation spectra of a class and there is one of '{name}': give "
                "split.validation a larger share."
            )


def decide_held_out(make_rule: Callable[[], Decision], probability: Probabilities, labels: Labels, seed: int) -> Labels:
    """Classes [n] by rules fitted on the rest of the split, fold by fold, so that no label helps to decide itself.

    Args:
        make_rule: gives an unfitted rule.
        probability: [n, K].
        labels: [n], as check_can_hold_out has passed them.
    """
    rarest = int(np.bincount(labels)[np.unique(labels)].min())
    decided = np.empty(len(labels), dtype=np.int64)
    folds = StratifiedKFold(min(NUM_FOLDS, rarest), shuffle=True, random_state=seed)
    for rest, held_out in folds.split(probability, labels):
        decided[held_out] = make_rule().fit(probability[rest], labels[rest])(probability[held_out])
    return decided


def final_metrics(
    probability: Probabilities, decided: Labels, labels: Labels, class_names: Sequence[str], seed: int
) -> dict[str, float]:
    """All metrics of decisions [n], the bootstrap's 95 % interval of macro-F1, and the spectra of each class."""
    low, high = bootstrap_interval(labels, decided, len(class_names), seed=seed)
    counts = np.bincount(labels, minlength=len(class_names))
    metrics = classification_metrics(labels, decided, probability, class_names)
    metrics |= {"macro_f1_low": low, "macro_f1_high": high, "num_spectra": len(labels)}
    return metrics | {f"num_spectra/{name}": int(count) for name, count in zip(class_names, counts, strict=True)}


def predictions_frame(
    ids: NDArray[Any], probability: Probabilities, decided: Labels, class_names: Sequence[str]
) -> pd.DataFrame:
    """One row a spectrum: id [n], predicted class, and a column `probability/<class>` for each class."""
    names = np.asarray(class_names, dtype=object)
    columns = {f"probability/{name}": probability[:, k].astype(np.float32) for k, name in enumerate(class_names)}
    return pd.DataFrame({"id": ids, "predicted": names[decided]} | columns)


class FinalScores:
    """Scores and predictions, split by split. K classes."""

    def __init__(self, make_rule: Callable[[], Decision], class_names: Sequence[str], seed: int) -> None:
        """Begin without a score.

        Args:
            make_rule: gives the run's decision rule, unfitted.
            seed: of the bootstrap and of the folds that validation is decided by.
        """
        self.make_rule, self.class_names, self.seed = make_rule, list(class_names), seed
        self.rule = make_rule()
        self.metrics: dict[str, float] = {}
        self.confusions: dict[str, list[list[int]]] = {}
        self._frames: list[pd.DataFrame] = []

    def add_validation(self, logits: Tensor, labels: Labels, ids: NDArray[Any]) -> None:
        """Fit the rule; what is reported of a fitted rule is decided fold by fold on spectra it was not fitted to."""
        probability = softmax(logits)
        if self.rule.num_iterations:
            self.rule.fit(probability, labels)
            decided = decide_held_out(self.make_rule, probability, labels, self.seed)
        else:
            decided = self.rule(probability)
        self._add("val", "validation", probability, decided, labels, ids)

    def add_test(self, logits: Tensor, labels: Labels, ids: NDArray[Any]) -> None:
        """Decide by the rule as it was fitted on validation."""
        probability = softmax(logits)
        self._add("test", "test", probability, self.rule(probability), labels, ids)

    def _add(
        self, key: str, split: str, probability: Probabilities, decided: Labels, labels: Labels, ids: NDArray[Any]
    ) -> None:
        names = self.class_names
        self.metrics |= with_prefix(key, final_metrics(probability, decided, labels, names, self.seed))
        self.confusions[key] = confusion(labels, decided, len(names)).tolist()
        frame = predictions_frame(ids, probability, decided, names)
        frame.insert(1, "split", split)
        frame.insert(2, "label", [names[label] for label in labels])
        self._frames.append(frame)

    def predictions(self) -> pd.DataFrame:
        """id, split, label, predicted and the probability of each class, for all spectra added."""
        return pd.concat(self._frames, ignore_index=True) if self._frames else pd.DataFrame()

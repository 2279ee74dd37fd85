"""Scores of a network's logits on a split. n spectra, K classes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectral.errors import UserError
from spectral.scoring.bootstrap import group_numbers
from spectral.scoring.cross_fitting import decide_validation
from spectral.scoring.decision import Decision
from spectral.scoring.metrics import Labels, classification_metrics
from spectral.scoring.split_scores import Probabilities, of_decision, split_scores


def softmax(logits: Tensor) -> Probabilities:
    """Probabilities [n, K] of logits [n, K], in float64.

    Raises:
        UserError: logits are not finite.
    """
    num_bad = int((~logits.isfinite()).any(dim=1).sum())
    if num_bad:
        raise UserError(
            f"the network's output is not finite for {num_bad} of {len(logits)} spectra: their flux is too large for "
            "it, or training diverged; try a lower optimizer.lr or schedule.clip_norm=1."
        )
    values: Probabilities = torch.softmax(logits.double(), dim=1).numpy()
    return values


def argmax_metrics(logits: Tensor, labels: Labels, class_names: Sequence[str]) -> dict[str, float]:
    """The metrics an epoch is judged by: those of the most probable class."""
    probability = softmax(logits)
    return classification_metrics(labels, probability.argmax(axis=1), probability, class_names)


def decision_metrics(
    logits: Tensor,
    labels: Labels,
    class_names: Sequence[str],
    make_rule: Callable[[], Decision],
    seed: int,
    objects: Labels | None = None,
) -> dict[str, float]:
    """The metrics of a decision rule on validation; one that is fitted decides fold by fold, as in `FinalScores`.

    Args:
        objects: [n], a number for each object; None: each spectrum is of its own.
    """
    probability = softmax(logits)
    decided = decide_validation(make_rule, probability, labels, seed, objects=objects)
    return of_decision(classification_metrics(labels, decided, probability, class_names))


def predictions_frame(
    ids: NDArray[Any], probability: Probabilities, decided: Labels, class_names: Sequence[str]
) -> pd.DataFrame:
    """One row per spectrum: id [n], predicted class, and a column `probability/<class>` for each class."""
    names = np.asarray(class_names, dtype=object)
    columns = {f"probability/{name}": probability[:, k].astype(np.float32) for k, name in enumerate(class_names)}
    return pd.DataFrame({"id": ids, "predicted": names[decided]} | columns)


def scored_frame(
    split: str,
    ids: NDArray[Any],
    probability: Probabilities,
    decided: Labels,
    labels: Labels,
    class_names: Sequence[str],
    groups: "pd.Series[Any] | None" = None,
) -> pd.DataFrame:
    """`predictions_frame` with the split, the labels [n], and the group [n] of each spectrum if there are groups."""
    frame = predictions_frame(ids, probability, decided, class_names)
    frame.insert(1, "split", split)
    frame.insert(2, "label", [class_names[label] for label in labels])
    if groups is not None:
        frame.insert(4, "group", groups.to_numpy())
    return frame


class FinalScores:
    """Scores and predictions, split by split. K classes."""

    def __init__(
        self,
        make_rule: Callable[[], Decision],
        class_names: Sequence[str],
        seed: int,
        scores_decision: bool = False,
    ) -> None:
        """Begin without a score.

        Args:
            make_rule: gives the run's decision rule, unfitted.
            seed: of the bootstrap and of the folds that validation is decided by.
            scores_decision: whether the rule has scores under its own name even if it is argmax.
        """
        self.make_rule, self.class_names, self.seed = make_rule, list(class_names), seed
        self.rule = make_rule()
        self._has_decision = scores_decision or not self.rule.is_argmax
        self.metrics: dict[str, float] = {}
        self.confusions: dict[str, list[list[int]]] = {}
        self._frames: list[pd.DataFrame] = []

    def add_validation(
        self, logits: Tensor, labels: Labels, ids: NDArray[Any], groups: "pd.Series[Any] | None" = None
    ) -> None:
        """Fit the rule; what is reported of a fitted rule is decided fold by fold on spectra it was not fitted to.

        Args:
            groups: [n], the object of each spectrum, missing if it is the only one; None if the survey names none.
        """
        probability = softmax(logits)
        if self.rule.num_iterations:
            self.rule.fit(probability, labels)
        objects = None if groups is None else group_numbers(groups)
        decided = decide_validation(self.make_rule, probability, labels, self.seed, objects=objects)
        self._add("val", "validation", probability, decided, labels, ids, groups)

    def add_test(
        self, logits: Tensor, labels: Labels, ids: NDArray[Any], groups: "pd.Series[Any] | None" = None
    ) -> None:
        """Decide by the rule as it was fitted on validation."""
        probability = softmax(logits)
        self._add("test", "test", probability, self.rule(probability), labels, ids, groups)

    def _add(
        self,
        key: str,
        split: str,
        probability: Probabilities,
        decided: Labels,
        labels: Labels,
        ids: NDArray[Any],
        groups: "pd.Series[Any] | None",
    ) -> None:
        names = self.class_names
        by_rule = decided if self._has_decision else None
        objects = None if groups is None else group_numbers(groups)
        metrics, confusions = split_scores(key, probability, by_rule, labels, names, self.seed, objects)
        self.metrics |= metrics
        self.confusions |= confusions
        self._frames.append(scored_frame(split, ids, probability, decided, labels, names, groups))

    def predictions(self) -> pd.DataFrame:
        """id, split, label, predicted, group (if there are groups) and the probability of each class, of all added."""
        if self._frames:
            return pd.concat(self._frames, ignore_index=True)
        ids, none, names = np.array([], dtype=str), np.array([], dtype=np.int64), self.class_names
        return scored_frame("", ids, np.zeros((0, len(names))), none, none, names)

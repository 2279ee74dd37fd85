"""The scores a run ends with: the decision rule is fitted on validation, the test split is read once."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from spectral.scoring.decision import Decision
from spectral.scoring.metrics import confusion
from spectral.scoring.scores import (
    Labels,
    Probabilities,
    decide_held_out,
    final_metrics,
    predictions_frame,
    softmax,
    with_prefix,
)


class FinalScores:
    """Scores and predictions, split by split. K classes."""

    def __init__(self, make_rule: Callable[[], Decision], class_names: Sequence[str], seed: int) -> None:
        """Args:
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

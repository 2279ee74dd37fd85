"""A run's own validation predictions: what thresholds and priors are judged by. n spectra, K classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import f1_score

from spectral.runs.folder import RunFolder
from spectral.scoring.bootstrap import group_numbers
from spectral.scoring.metrics import Floats, Labels


@dataclass(frozen=True)
class Validation:
    """What a run left of its validation spectra.

    Args:
        probabilities: [n, K], as the network gives them.
        labels, decided: [n], true classes and those of the run's decision rule, none of which has seen its own label.
        objects: [n], a number for each object; None if the survey names no groups.
        is_out_of_fold: whether the run is an ensemble of folds: a spectrum then has the probabilities of the members
            that were not trained on it, and not those of their average.
    """

    probabilities: Floats
    labels: Labels
    decided: Labels
    objects: Labels | None = None
    is_out_of_fold: bool = False

    @classmethod
    def of(cls, folder: RunFolder, class_names: Sequence[str]) -> "Validation | None":
        """None if the folder has no such predictions.

        Raises:
            UserError: they cannot be read.
        """
        frame = folder.load_predictions()
        columns = [f"probability/{name}" for name in class_names]
        if not {"split", *columns} <= set(frame):
            return None
        index = {name: k for k, name in enumerate(class_names)}
        frame = frame[(frame["split"] == "validation") & frame["label"].isin(index) & frame["predicted"].isin(index)]
        if not len(frame):
            return None
        labels, decided = ([index[name] for name in frame[column]] for column in ("label", "predicted"))
        objects = group_numbers(frame["group"]) if "group" in frame else None
        made = (folder.load_result() or {}).get("ensemble")
        is_out_of_fold = isinstance(made, Mapping) and made.get("out_of_fold") is True
        probabilities = frame[columns].to_numpy(np.float64)
        return cls(probabilities, np.array(labels), np.array(decided), objects, is_out_of_fold)

    def weights(self, priors: Floats) -> Floats:
        """Weights [n] under which the classes have these shares [K], as far as they are there; their mean is 1."""
        shares = np.bincount(self.labels, minlength=len(priors)) / len(self.labels)
        weights = (priors / np.where(shares > 0, shares, 1))[self.labels]
        return np.asarray(weights / weights.mean() if weights.any() else np.ones(len(self.labels)))

    def macro_f1(self, decided: Labels, weights: Floats | None = None) -> float:
        """Mean F1 over the classes that have labels, with weights above 0, of some decisions [n]."""
        classes = np.unique(self.labels if weights is None else self.labels[weights > 0])
        return float(
            f1_score(self.labels, decided, labels=classes, average="macro", sample_weight=weights, zero_division=0)
        )

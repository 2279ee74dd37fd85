"""The training rows of each class, and how many of each a batch takes. K classes, n training rows.

Fractions are of a batch, priors of a survey.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spectral.configs.sampler import TOLERANCE, check_places
from spectral.errors import UserError
from spectral.inputs.batches import Rows

ByClass = NDArray[np.float64]  # [K]


class ClassPools:
    """The training rows of each class, and drawing from them."""

    def __init__(self, labels: Rows, num_classes: int, class_names: Sequence[str] | None) -> None:
        self.num_rows = len(labels)
        self.priors = class_priors(labels, num_classes)
        self.rows = [np.flatnonzero(labels == label) for label in range(num_classes)]
        self.class_names = class_names

    def require(self, fractions: ByClass, instead: str = "give it the fraction 0") -> None:
        """Raise UserError if a class has a fraction and no rows.

        Args:
            instead: how to leave such a class out; it ends the sentence.
        """
        empty = np.flatnonzero((fractions > 0) & (self.priors == 0))
        if len(empty):
            name = f" ({self.class_names[empty[0]]})" if self.class_names else ""
            raise UserError(
                f"sampler draws class index {empty[0]}{name}, which has no training spectra: add some, or {instead}."
            )

    def draw(self, counts: Rows, rng: np.random.Generator) -> Rows:
        """counts[c] rows of each class c, with replacement."""
        drawn = [
            rows[rng.integers(0, len(rows), count)] for rows, count in zip(self.rows, counts, strict=True) if count
        ]
        return np.concatenate(drawn)


def class_priors(labels: Rows, num_classes: int) -> ByClass:
    """What part of the labels [n] each class has, [K]."""
    priors: ByClass = np.bincount(labels, minlength=num_classes) / len(labels)
    return priors


def floored_counts(fractions: ByClass, batch_size: int, class_names: Sequence[str] | None = None) -> Rows:
    """How many rows of each class a batch holds [K].

    Raises:
        UserError: a fraction above 0 that is less than one row.
    """
    check_places(fractions.tolist(), batch_size, class_names)
    counts = np.floor(fractions * batch_size + TOLERANCE).astype(np.int64)
    counts[np.flatnonzero(fractions)[0]] += batch_size - counts.sum()
    return counts


def systematic_counts(fractions: ByClass, batch_size: int, rng: np.random.Generator) -> Rows:
    """Random whole counts [K] that sum to batch_size, each within one of fractions * batch_size, which they average."""
    total = fractions.cumsum()
    # Divided by the last sum, not by 1: a class of fraction 0 then has two equal edges, so never a row.
    edges = np.concatenate([[0.0], total / total[-1]]) * batch_size
    return np.diff(np.floor(edges + rng.random())).astype(np.int64)

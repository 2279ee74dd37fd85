"""Which predictions are rejected: those whose probability is below a threshold. n spectra."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectral.errors import UserError
from spectral.scoring.metrics import Floats


@dataclass(frozen=True)
class Threshold:
    """A prediction is kept if the probability of its class is at least `probability`.

    Args:
        kept, precision: what it keeps on validation as a share of all, and what share of that is right; None if there
            is no validation.
        num_kept: spectra on validation, without weights.
    """

    probability: float
    kept: float | None = None
    precision: float | None = None
    num_kept: int | None = None

    def rejects(self, probability: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether each prediction of a probability [n] is rejected, as the file's own columns say."""
        return np.asarray(~(probability >= np.float32(self.probability)))


def threshold_for(
    precision: float, confidence: NDArray[np.float32], is_right: NDArray[np.bool_], weights: Floats
) -> Threshold:
    """The lowest threshold at which this share of what is kept is right.

    Args:
        confidence: [n], the probability of each decision.
        weights: [n], of each spectrum; 1 but for other class shares.

    Raises:
        UserError: no threshold reaches it.
    """
    order = np.argsort(-confidence, kind="stable")
    right, total = np.cumsum((is_right * weights)[order]), np.cumsum(weights[order])
    # Spectra of equal probability are kept or rejected together: only the last of them can be where the cut is.
    is_cut = np.append(confidence[order][1:] != confidence[order][:-1], True) & (total > 0)
    share = np.divide(right, total, out=np.zeros(len(right)), where=total > 0)
    reached = np.flatnonzero(is_cut & (share >= precision - 1e-12))
    if not len(reached):
        cuts = np.flatnonzero(is_cut)
        best = cuts[np.argmax(share[cuts])]
        raise UserError(
            f"reject={precision:g} is not reached on validation by any threshold: the best is {share[best]:.4f}, of "
            f"{best + 1} of {len(right)} spectra."
        )
    last = reached[-1]
    return Threshold(float(confidence[order][last]), float(total[last] / total[-1]), float(share[last]), int(last + 1))


def judged(
    probability: float, confidence: NDArray[np.float32], is_right: NDArray[np.bool_], weights: Floats
) -> Threshold:
    """A threshold that the user gives, with what it does on validation; arguments as in `threshold_for`."""
    kept = confidence >= np.float32(probability)
    total = float(weights[kept].sum())
    precision = float((is_right * weights)[kept].sum() / total) if total else None
    return Threshold(probability, total / float(weights.sum()), precision, int(kept.sum()))

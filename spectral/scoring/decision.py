"""From class probabilities to classes. n spectra, K classes.

Every rule here is argmax_c slope_c q_c - offset_c, with q the probabilities after an optional prior correction. Argmax
has slopes 1 and offsets 0; the macro-F1 rule finds its own on validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spectral.errors import UserError
from spectral.scoring.metrics import Floats, Labels, f1_by_class


class Decision:
    """A rule that may be fitted, called, and stored as JSON values.

    Args:
        num_classes: K.
        prior_ratio: [K], what corrects the prior of the probabilities; None leaves them as they are.
        num_iterations: of fitting; 0 for argmax, which has nothing to fit.
    """

    def __init__(self, num_classes: int, prior_ratio: Floats | None = None, num_iterations: int = 0) -> None:
        self.prior_ratio = prior_ratio
        self.num_iterations = num_iterations
        self.slope, self.offset = np.ones(num_classes), np.zeros(num_classes)

    @property
    def is_argmax(self) -> bool:
        """Whether it is argmax of the probabilities as they are, so that it has no scores of its own."""
        return self.prior_ratio is None and not self.num_iterations

    def unfitted(self) -> "Decision":
        """The same rule before it was fitted."""
        return Decision(len(self.slope), self.prior_ratio, self.num_iterations)

    def __call__(self, probabilities: NDArray[Any]) -> Labels:
        """Classes [n] of probabilities [n, K]."""
        return _decide(self.corrected(probabilities), self.slope, self.offset)

    def corrected(self, probabilities: NDArray[Any]) -> Floats:
        """The probabilities [n, K] at the prior of the survey, rows sum to 1."""
        values = np.asarray(probabilities, dtype=np.float64)
        if self.prior_ratio is None:
            return values
        weighted = values * self.prior_ratio
        total = weighted.sum(1, keepdims=True)
        # All of a spectrum's probability may be on classes that the survey's prior gives 0: the other classes share it.
        possible = (self.prior_ratio > 0) / max((self.prior_ratio > 0).sum(), 1)
        corrected: Floats = np.where(total > 0, weighted / np.where(total > 0, total, 1.0), possible)
        return corrected

    def fit(self, probabilities: NDArray[Any], labels: Labels, weights: Floats | None = None) -> Self:
        """Find slopes and offsets on validation probabilities [n, K] and labels [n] in 0..K-1.

        With weights [n] of the spectra they are those for other class shares than validation's.

        The iterate of the highest macro-F1 is kept, argmax of the corrected probabilities being the first. Argmax of
        the probabilities as they are is tried too, so that the fit is below neither there.
        """
        q = self.corrected(probabilities)
        slope, offset = np.ones_like(self.slope), np.zeros_like(self.offset)
        best, previous = -1.0, None
        for _ in range(self.num_iterations + 1):
            predicted = _decide(q, slope, offset)
            if previous is not None and np.array_equal(predicted, previous):
                break
            f1 = f1_by_class(labels, predicted, len(slope), weights)
            if f1.mean() > best:
                best, self.slope, self.offset = f1.mean(), slope, offset
            slope, offset = linearised_macro_f1(
                f1, _shares(labels, len(slope), weights), _shares(predicted, len(slope), weights)
            )
            previous = predicted
        if self.num_iterations and self.prior_ratio is not None and (self.prior_ratio > 0).all():
            # What a ratio of 0 takes away no slope gives back.
            slope, offset = 1 / self.prior_ratio, np.zeros_like(self.offset)
            if f1_by_class(labels, _decide(q, slope, offset), len(slope), weights).mean() > best:
                self.slope, self.offset = slope, offset
        return self

    def state(self) -> dict[str, Any]:
        """What from_state needs, as JSON values."""
        ratio = None if self.prior_ratio is None else self.prior_ratio.tolist()
        return {
            "prior_ratio": ratio,
            "num_iterations": self.num_iterations,
            "slope": self.slope.tolist(),
            "offset": self.offset.tolist(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        ratio = None if state["prior_ratio"] is None else np.array(state["prior_ratio"], dtype=np.float64)
        rule = cls(len(state["slope"]), ratio, state["num_iterations"])
        rule.slope = np.array(state["slope"], dtype=np.float64)
        rule.offset = np.array(state["offset"], dtype=np.float64)
        return rule


def argmax_rule(
    prior_correction: bool, num_classes: int, class_priors: Sequence[float], output_prior: Sequence[float]
) -> Decision:
    """The most probable class.

    Args:
        prior_correction: whether to move the probabilities from output_prior to class_priors first.
        class_priors: pi [K], the class shares where the rule will be used: those of the training split.
        output_prior: [K], the class shares at which the probabilities are a posterior (see the losses).
    """
    return Decision(num_classes, prior_ratio(class_priors, output_prior) if prior_correction else None)


def macro_f1_rule(
    prior_correction: bool,
    num_iterations: int,
    num_classes: int,
    class_priors: Sequence[float],
    output_prior: Sequence[float],
) -> Decision:
    """The rule that maximises macro-F1; arguments as in argmax_rule.

    It needs probabilities at the survey's prior, so prior_correction is off only if they already are.
    """
    return Decision(num_classes, prior_ratio(class_priors, output_prior) if prior_correction else None, num_iterations)


def prior_ratio(class_priors: Sequence[float] | Floats, output_prior: Sequence[float] | Floats) -> Floats:
    """pi_c / f_c [K]: p_c pi_c / f_c, renormalised, is the posterior at the shares pi (Saerens et al. 2002, eq. 2.4).

    Raises:
        UserError: a share of 0 in output_prior, from which nothing can be corrected.
    """
    source, target = np.asarray(output_prior, dtype=np.float64), np.asarray(class_priors, dtype=np.float64)
    missing = np.flatnonzero(source <= 0)
    if len(missing):
        raise UserError(
            f"decision.prior_correction=true needs every class in the training batches, but the sampler never draws "
            f"class index {missing[0]}."
        )
    ratio: Floats = target / source
    return ratio


def linearised_macro_f1(f1: Floats, true_share: Floats, predicted_share: Floats) -> tuple[Floats, Floats]:
    """Slopes [K] and offsets [K] of argmax_c (2 p_c - F_c) / (pi_c + rho_c).

    Moving one spectrum of probability p_c into class c changes F_c = 2 TP_c / (N_c + P_c) by (2 p_c - F_c) / (N_c +
    P_c) to first order; the class that gains most is chosen. For one class against none this is the threshold F*/2 of
    Lipton et al. 2014 (arXiv 1402.1892). A class without labels has F_c = 0 whatever is predicted: it gets nothing.

    Args:
        f1: F_c [K] at the current predictions.
        true_share: pi [K], of the labels.
        predicted_share: rho [K], of the current predictions.
    """
    present = true_share > 0
    total = np.where(present, true_share + predicted_share, 1.0)
    # The largest float, not infinity, which JSON does not have.
    return np.where(present, 2 / total, 0.0), np.where(present, f1 / total, np.finfo(np.float64).max)


def _decide(q: Floats, slope: Floats, offset: Floats) -> Labels:
    chosen: Labels = (q * slope - offset).argmax(1).astype(np.int64)
    return chosen


def _shares(classes: Labels, num_classes: int, weights: Floats | None = None) -> Floats:
    counts = np.bincount(classes, weights, minlength=num_classes)
    shares: Floats = counts / counts.sum()
    return shares

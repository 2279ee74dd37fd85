"""Class shares where a run is applied: given, or estimated from the predictions. n spectra, K classes.

Saerens, Latinne & Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities: a simple
procedure, Neural Computation 14, 21. Both steps hold if spectra of a class look as they did in training, and if the
probabilities are posteriors at the shares `output_prior` (docs/losses.md#output-prior).
"""

import numpy as np

from spectral.scoring.metrics import Floats

TOLERANCE, MAX_ITERATIONS = 1e-7, 10_000  # of the sum of changes of the shares
ROWS = 65_536  # at a time


def estimate_shares(probabilities: Floats, output_prior: Floats) -> Floats:
    """The class shares [K] under which the probabilities are most likely, by expectation maximisation.

    Equation 2.9: each step re-weights the probabilities from the training shares to the current ones and takes their
    mean as the next ones. A class whose output prior is 0 stays at 0.

    Args:
        probabilities: [n, K], rows sum to 1, n at least 1.
        output_prior: [K], the shares at which they stand; where the iteration begins.
    """
    shares = np.asarray(output_prior, np.float64)
    per_prior = np.divide(1, shares, out=np.zeros_like(shares), where=shares > 0)
    for _ in range(MAX_ITERATIONS):
        previous, total = shares, np.zeros_like(shares)
        for start in range(0, len(probabilities), ROWS):
            weighted = probabilities[start : start + ROWS] * (previous * per_prior)
            sums = weighted.sum(1, keepdims=True)
            total += np.divide(weighted, sums, out=np.zeros_like(weighted), where=sums > 0).sum(0)
        shares = total / total.sum()
        if np.abs(shares - previous).sum() < TOLERANCE:
            break
    return shares

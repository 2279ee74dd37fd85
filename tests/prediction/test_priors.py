"""Class shares estimated by expectation maximisation."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from spectral.prediction.priors import estimate_shares

MEANS = np.array([-1.0, 1.0])  # of two classes of unit variance


def posteriors(x: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The exact class probabilities [n, K] at some class shares."""
    weighted = shares * np.exp(-((x[:, None] - MEANS) ** 2) / 2)
    return weighted / weighted.sum(1, keepdims=True)


@pytest.mark.parametrize("trained_at", [(0.5, 0.5), (0.8, 0.2)])
def test_the_shares_of_a_known_mixture_are_found(trained_at: tuple[float, float]) -> None:
    """Right probabilities at the training shares; 4,000 of 40,000 spectra are of the second class.

    The estimate is the one of highest likelihood, and within four standard errors of the truth: with these means a
    spectrum tells as much of the share as 0.5 or more known labels would.
    """
    is_second = np.arange(40_000) < 4000
    x = np.random.default_rng(1).normal(MEANS[is_second.astype(int)])
    prior = np.array(trained_at)
    found = estimate_shares(posteriors(x, prior), prior)
    density = np.exp(-((x[:, None] - MEANS) ** 2) / 2)
    best = minimize_scalar(
        lambda share: -np.log(density @ np.array([1 - share, share])).sum(), bounds=(0, 1), method="bounded"
    )
    assert found[1] == pytest.approx(best.x, abs=1e-4)
    assert found[1] == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / (0.5 * 40_000)))
    assert found.sum() == pytest.approx(1)


def test_one_step_is_equation_2_9() -> None:
    """By hand: probabilities .5 and .9 of class 0 at equal shares. With shares (s, 1 - s) the mean must be s again."""
    probabilities = np.array([[0.5, 0.5], [0.9, 0.1]])
    share = estimate_shares(probabilities, np.array([0.5, 0.5]))[0]
    assert share == pytest.approx(1.0, abs=1e-5)  # both say that class 0 is at least as likely
    balanced = np.array([[0.2, 0.8], [0.9, 0.1]])
    s = estimate_shares(balanced, np.array([0.5, 0.5]))[0]
    again = np.mean([s * p / (s * p + (1 - s) * q) for p, q in balanced])
    assert again == pytest.approx(s, abs=1e-6) and 0 < s < 1


def test_a_class_that_training_never_had_stays_at_zero() -> None:
    probabilities = np.array([[0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    assert estimate_shares(probabilities, np.array([0.5, 0.5, 0.0]))[2] == 0


def test_many_spectra_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from spectral.prediction import priors

    probabilities, prior = np.random.default_rng(2).dirichlet([1, 2, 3], 500), np.array([0.2, 0.3, 0.5])
    whole = estimate_shares(probabilities, prior)
    monkeypatch.setattr(priors, "ROWS", 37)
    np.testing.assert_allclose(estimate_shares(probabilities, prior), whole, atol=1e-12)

"""Decision rules: the macro-F1 rule against brute force, prior correction against Bayes' theorem."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from spectral.configs.decision import decisions
from spectral.errors import UserError
from spectral.scoring.decision import Decision, linearised_macro_f1


def build(name, num_classes, class_priors=None, output_prior=None, **fields):
    uniform = np.full(num_classes, 1 / num_classes)
    return decisions.build(
        decisions.typed({"name": name, **fields}),
        num_classes=num_classes,
        class_priors=uniform if class_priors is None else class_priors,
        output_prior=uniform if output_prior is None else output_prior,
    )


def macro_f1(labels, predicted, num_classes):
    return f1_score(labels, predicted, labels=range(num_classes), average="macro", zero_division=0)


def calibrated_pair(num_rows, logit_mean, seed):
    """Probabilities [n, 2] and labels drawn from them: calibrated by construction, class 1 rare."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(logit_mean, 2.0, num_rows)))
    return np.stack([1 - p, p], axis=1), (rng.random(num_rows) < p).astype(np.int64)


def threshold(rule):
    """The probability of class 1 above which a fitted two-class rule chooses it."""
    grid = np.linspace(0, 1, 100_001)
    return grid[np.argmax(rule(np.stack([1 - grid, grid], axis=1)) == 1)]


def f1_at_every_threshold(p, labels):
    """F1 of class 0 and of class 1 [n, 2] when the 1, 2, ... n rows of the highest p are called class 1."""
    hits, called = labels[np.argsort(-p)].cumsum(), np.arange(1, len(p) + 1)
    rows, positives = len(p), labels.sum()
    f1 = 2 * hits / (positives + called)
    f0 = 2 * (rows - positives - (called - hits)) / ((rows - positives) + (rows - called))
    return np.stack([f0, f1], axis=1)


def test_argmax_predicts_the_most_probable_class():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), size=50).astype(np.float32)
    rule = build("argmax", 4).fit(probabilities, np.zeros(50, np.int64))
    np.testing.assert_array_equal(rule(probabilities), probabilities.argmax(1))
    assert rule(probabilities).dtype == np.int64


@pytest.mark.parametrize("logit_mean", [-3.0, -1.0, 0.0])
def test_two_classes_come_close_to_the_best_threshold(logit_mean):
    probabilities, labels = calibrated_pair(20_000, logit_mean, seed=1)
    rule = build("macro_f1", 2).fit(probabilities, labels)
    best = f1_at_every_threshold(probabilities[:, 1], labels).mean(1).max()
    # Brute force also fits the noise of this sample, of about 1 / sqrt(rare spectra) times a few per cent.
    assert macro_f1(labels, rule(probabilities), 2) > best - 0.004


def test_threshold_of_one_rare_class_is_half_its_best_f1():
    """With class 1 rare, class 0 has F near 1 and hardly moves: macro-F1 is then F1 of class 1, whose rule is F*/2."""
    probabilities, labels = calibrated_pair(100_000, -5.0, seed=2)
    rule = build("macro_f1", 2).fit(probabilities, labels)
    best_f1 = f1_at_every_threshold(probabilities[:, 1], labels)[:, 1].max()
    assert abs(threshold(rule) - best_f1 / 2) < 0.04


def test_linearisation_of_one_class_is_zero_at_half_its_f1():
    slope, offset = linearised_macro_f1(np.array([0.9, 0.62]), np.array([0.9, 0.1]), np.array([0.92, 0.08]))
    np.testing.assert_allclose(offset / slope, [0.45, 0.31])


def test_linearisation_is_the_derivative_of_macro_f1():
    """Adding a little of a spectrum to class c changes F_c by (2 p - F_c) / (N_c + P_c)."""
    true_positive, labelled, called, p, step = 30.0, 50.0, 70.0, 0.4, 1e-6
    f1 = 2 * true_positive / (labelled + called)
    moved = 2 * (true_positive + step * p) / (labelled + called + step)
    slope, offset = linearised_macro_f1(np.array([f1]), np.array([labelled]), np.array([called]))
    np.testing.assert_allclose((moved - f1) / step, slope[0] * p - offset[0], rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(num_classes=st.integers(2, 6), num_rows=st.integers(1, 60), seed=st.integers(0, 2**16))
def test_a_fitted_rule_is_never_below_argmax_on_its_fitting_set(num_classes, num_rows, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(num_classes, 0.5), size=num_rows)
    labels = rng.integers(0, num_classes, num_rows)
    rule = build("macro_f1", num_classes).fit(probabilities, labels)
    assert macro_f1(labels, rule(probabilities), num_classes) >= macro_f1(labels, probabilities.argmax(1), num_classes)


@settings(max_examples=25, deadline=None)
@given(num_classes=st.integers(2, 6), num_rows=st.integers(1, 60), seed=st.integers(0, 2**16))
def test_with_prior_correction_it_is_below_argmax_neither_before_nor_after_it(num_classes, num_rows, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(num_classes, 0.5), size=num_rows)
    labels = rng.integers(0, num_classes, num_rows)
    priors = rng.dirichlet(np.full(num_classes, 2.0), size=2)
    rule = build("macro_f1", num_classes, *priors, prior_correction=True).fit(probabilities, labels)
    score = macro_f1(labels, rule(probabilities), num_classes)
    for before_or_after in (probabilities, rule.corrected(probabilities)):
        assert score >= macro_f1(labels, before_or_after.argmax(1), num_classes) - 1e-12


def test_fitting_leaves_argmax_as_it_is():
    probabilities, labels = calibrated_pair(500, 0.0, seed=4)
    rule = build("argmax", 2, [0.9, 0.1], [0.5, 0.5], prior_correction=True).fit(probabilities, labels)
    np.testing.assert_array_equal(rule(probabilities), rule.corrected(probabilities).argmax(1))


def test_a_fitted_rule_improves_rare_classes_on_new_spectra():
    rng = np.random.default_rng(3)

    def sample(num_rows):
        logits = rng.normal(0, 1.5, (num_rows, 4)) + np.log([0.91, 0.065, 0.018, 0.007])
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return p, (p.cumsum(1) > rng.random((num_rows, 1))).argmax(1)

    rule = build("macro_f1", 4).fit(*sample(20_000))
    probabilities, labels = sample(20_000)
    gain = macro_f1(labels, rule(probabilities), 4) - macro_f1(labels, probabilities.argmax(1), 4)
    assert gain > 0.03


def test_a_class_without_validation_labels_is_not_predicted():
    probabilities = np.array([[0.6, 0.1, 0.3], [0.2, 0.5, 0.3], [0.3, 0.1, 0.6], [0.1, 0.6, 0.3]])
    rule = build("macro_f1", 3).fit(probabilities, np.array([0, 1, 0, 1]))
    np.testing.assert_array_equal(rule(probabilities), [0, 1, 0, 1])


def test_prior_correction_is_bayes_theorem():
    likelihood = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])  # [x, class]
    sampled, survey = np.array([0.4, 0.3, 0.3]), np.array([0.9, 0.08, 0.02])

    def posterior(prior):
        joint = likelihood * prior
        return joint / joint.sum(1, keepdims=True)

    rule = build("argmax", 3, survey, sampled, prior_correction=True)
    np.testing.assert_allclose(rule.corrected(posterior(sampled)), posterior(survey))
    np.testing.assert_array_equal(rule(posterior(sampled)), posterior(survey).argmax(1))


def test_prior_correction_of_a_class_never_drawn_is_refused():
    with pytest.raises(UserError, match=r"decision\.prior_correction=true .*class index 2"):
        build("macro_f1", 3, output_prior=[0.5, 0.5, 0.0])


@pytest.mark.parametrize("name", ["argmax", "macro_f1"])
def test_a_fitted_rule_is_read_back_from_json(name):
    probabilities, labels = calibrated_pair(500, -2.0, seed=4)
    three = np.concatenate([probabilities, np.full((500, 1), 0.01)], axis=1)
    rule = build(name, 3, [0.8, 0.15, 0.05], [0.5, 0.25, 0.25], prior_correction=True).fit(three, labels)
    state = json.loads(json.dumps(rule.state(), allow_nan=False))
    np.testing.assert_array_equal(Decision.from_state(state)(three), rule(three))
    assert Decision.from_state(state).state() == rule.state()


def test_wrong_options_are_named():
    with pytest.raises(UserError, match=r"decision=macrof1 .*did you mean 'macro_f1'"):
        decisions.typed("macrof1")
    with pytest.raises(UserError, match=r"decision\.num_iterations=0 "):
        decisions.typed({"name": "macro_f1", "num_iterations": 0})


def test_a_prior_of_zero_gives_no_nan():
    """All of a spectrum's probability may be on a class that the survey does not have."""
    rule = build("argmax", 3, [0.0, 0.75, 0.25], [0.5, 0.25, 0.25], prior_correction=True)
    corrected = rule.corrected(np.array([[1.0, 0.0, 0.0], [0.5, 0.25, 0.25]]))
    np.testing.assert_allclose(corrected, [[0.0, 0.5, 0.5], [0.0, 0.75, 0.25]])


def test_whole_weights_fit_as_repeated_spectra_do() -> None:
    matters = []
    for seed in range(4, 10):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 200)
        probabilities = rng.dirichlet([1, 1, 1], 200) + np.eye(3)[labels] / 2
        probabilities /= probabilities.sum(1, keepdims=True)
        counts = np.array([1, 2, 7])[labels]
        fit = Decision(3, num_iterations=20).fit
        weighted = fit(probabilities, labels, counts.astype(float))
        repeated = fit(np.repeat(probabilities, counts, axis=0), np.repeat(labels, counts))
        np.testing.assert_allclose(weighted.slope, repeated.slope, rtol=1e-9)
        np.testing.assert_allclose(weighted.offset, repeated.offset, rtol=1e-9)
        matters.append(not np.allclose(weighted.slope, fit(probabilities, labels).slope))
    assert any(matters)  # in some draws argmax is best with and without weights

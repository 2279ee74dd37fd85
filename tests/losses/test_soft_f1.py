"""Soft macro-F1 losses against their formulas in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from spectral.losses.soft_f1 import SoftF1

EPS = 1e-7
FORMS = ["log_of_mean", "mean_of_logs"]
FRACTIONS = np.array([0.8, 0.1, 0.05, 0.05])
COUNTS = np.array([128, 16, 8, 8])


def soft_f1_by_class(logits, target, weight_of_class, eps):
    p, y = softmax(logits, axis=1), np.eye(logits.shape[1])[target]
    w = weight_of_class[target][:, None]
    return 2 * (w * y * p).sum(0) / ((w * y).sum(0) + (w * p).sum(0) + eps)


def formula_of(form, weight_of_class):
    def log_of_mean(z, t):
        return -np.log(soft_f1_by_class(z, t, weight_of_class, EPS).mean() + EPS)

    def mean_of_logs(z, t):
        f1 = soft_f1_by_class(z, t, weight_of_class, 0.0)
        return -np.log(f1[np.bincount(t, minlength=len(f1)) > 0]).sum() / len(f1)

    return {"log_of_mean": log_of_mean, "mean_of_logs": mean_of_logs}[form]


@pytest.mark.parametrize("num_classes", [2, 3, 4, 10])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("prior_weighted", [False, True])
def test_value_and_gradient(build_loss, random_batch, agree, num_classes, form, prior_weighted):
    logits, target = random_batch(num_classes)
    fractions = np.full(num_classes, 1 / num_classes)
    priors = np.arange(1, num_classes + 1) ** 2 / (np.arange(1, num_classes + 1) ** 2).sum()
    loss = build_loss("soft_f1", fractions, priors, form=form, prior_weighted=prior_weighted)
    weight_of_class = priors / fractions if prior_weighted else np.ones(num_classes)
    agree(loss, formula_of(form, weight_of_class), logits, target)


@pytest.mark.parametrize("form", FORMS)
def test_a_class_absent_from_the_batch_follows_the_formula(build_loss, random_batch, agree, form):
    logits, target = random_batch(4)
    target[target == 3] = 0
    agree(build_loss("soft_f1", FRACTIONS, form=form), formula_of(form, np.ones(4)), logits, target)


def test_mean_of_logs_without_a_class_keeps_the_gradient_of_the_plain_mean(build_loss, random_batch):
    """Only the constant -log(eps) of the absent class is left out."""
    logits, target = random_batch(4)
    target[target == 3] = 0
    z, plain = (torch.tensor(logits, requires_grad=True) for _ in range(2))
    build_loss("soft_f1", FRACTIONS, form="mean_of_logs")(z, torch.tensor(target)).backward()
    p, y = plain.softmax(1), torch.eye(4, dtype=torch.float64)[target]
    (-(2 * (y * p).sum(0) / (y.sum(0) + p.sum(0)) + 1e-12).log().mean()).backward()
    np.testing.assert_allclose(z.grad.numpy(), plain.grad.numpy(), atol=1e-10)


@pytest.mark.parametrize(
    ("p", "cross_entropy", "log_of_mean", "mean_of_logs"),
    [(0.25, 4.7e-3, 1.1e-2, 2.3e-2), (0.01, 6.2e-3, 2.2e-3, 3.1e-2), (0.001, 6.2e-3, 2.8e-4, 3.1e-2)],
)
def test_gradient_of_a_rare_spectrum_on_its_own_logit(build_loss, p, cross_entropy, log_of_mean, mean_of_logs):
    """Two digits of a published table: a reference batch in which every spectrum has p for each rare class.

    The gradient of log_of_mean fades with p, those of cross-entropy and mean_of_logs do not.
    """
    logits = np.tile(np.log([1 - 3 * p, p, p, p]), (160, 1))
    target = torch.tensor(np.repeat(np.arange(4), COUNTS))

    def own_logit_gradient(name, **fields):
        z = torch.tensor(logits, requires_grad=True)
        build_loss(name, FRACTIONS, **fields)(z, target).backward()
        return -z.grad[-1, 3].item()

    measured = [
        own_logit_gradient("cross_entropy"),
        own_logit_gradient("soft_f1", form="log_of_mean"),
        own_logit_gradient("soft_f1", form="mean_of_logs"),
    ]
    assert [f"{value:.1e}" for value in measured] == [f"{v:.1e}" for v in (cross_entropy, log_of_mean, mean_of_logs)]


def test_mean_of_logs_gradient_survives_any_confidence_in_float32(build_loss):
    logits = torch.tensor([[60.0, -60.0], [0.0, 0.0]], requires_grad=True)
    build_loss("soft_f1", [0.5, 0.5], form="mean_of_logs").float()(logits[:1], torch.tensor([1])).backward()
    assert logits.grad[0, 1] < -0.1


def test_prior_weighting_gives_the_counts_of_the_survey(build_loss):
    """A class-sampled batch, weighted, has the loss of the natural set that it was sampled from."""
    rng = np.random.default_rng(0)
    natural_target = np.repeat([0, 1], [900, 100])
    # Every spectrum of a class has the same logits, so that a sample of the class stands for it exactly.
    logits_of_class = rng.standard_normal((2, 2))
    sampled_target = np.repeat([0, 1], [50, 50])
    for form in FORMS:
        natural = build_loss("soft_f1", [0.9, 0.1], form=form)
        sampled = build_loss("soft_f1", [0.5, 0.5], [0.9, 0.1], form=form, prior_weighted=True)
        expected = natural(torch.tensor(logits_of_class[natural_target]), torch.tensor(natural_target))
        measured = sampled(torch.tensor(logits_of_class[sampled_target]), torch.tensor(sampled_target))
        np.testing.assert_allclose(measured.item(), expected.item(), rtol=1e-6)


@st.composite
def batches(draw):
    num_classes = draw(st.integers(2, 10))
    target = draw(st.lists(st.integers(0, num_classes - 1), min_size=1, max_size=40))
    seed = draw(st.integers(0, 2**16))
    logits = np.random.default_rng(seed).normal(
        scale=draw(st.sampled_from([0.1, 3.0, 50.0])), size=(len(target), num_classes)
    )
    return logits.astype(np.float32), np.array(target)


@settings(max_examples=60, deadline=None)
@given(batch=batches(), form=st.sampled_from(FORMS), seed=st.integers(0, 100))
def test_order_is_irrelevant_and_values_are_finite(batch, form, seed):
    logits, target = batch
    uniform = torch.full((logits.shape[1],), 1 / logits.shape[1])
    loss = SoftF1(form, False, EPS, class_priors=uniform, batch_fractions=uniform)
    order = np.random.default_rng(seed).permutation(len(target))
    z = torch.tensor(logits, requires_grad=True)
    value = loss(z, torch.tensor(target))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(z.grad).all()
    shuffled = loss(torch.tensor(logits[order]), torch.tensor(target[order]))
    torch.testing.assert_close(shuffled, value.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("num_classes", range(2, 11))
@pytest.mark.parametrize("form", FORMS)
def test_a_perfect_prediction_costs_nothing(build_loss, num_classes, form):
    target = torch.arange(num_classes).repeat(3)
    logits = 40.0 * torch.eye(num_classes)[target]
    loss = build_loss("soft_f1", [1 / num_classes] * num_classes, form=form).float()(logits, target)
    assert abs(loss.item()) < 1e-5

"""Cross-entropy, focal and logit-adjusted losses against their formulas in float64."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn.utils.class_weight import compute_class_weight

from spectral.configs.losses import losses
from spectral.errors import UserError

CLASSES = [2, 3, 4, 10]


def shares(num_classes: int) -> np.ndarray:
    raw = np.arange(1, num_classes + 1, dtype=float) ** 2
    return raw / raw.sum()


def smoothed_cross_entropy(logits, target, weights, smoothing):
    log_p = log_softmax(logits, axis=1)
    num_classes = logits.shape[1]
    y = (1 - smoothing) * np.eye(num_classes)[target] + smoothing / num_classes
    return -(y * weights * log_p).sum() / weights[target].sum()


@pytest.mark.parametrize("num_classes", CLASSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighting", ["none", "list", "balanced"])
def test_cross_entropy(build_loss, random_batch, agree, num_classes, smoothing, weighting):
    logits, target = random_batch(num_classes)
    fractions = shares(num_classes)
    weights = {
        "none": np.ones(num_classes),
        "list": np.arange(1.0, num_classes + 1),
        "balanced": 1 / (num_classes * fractions),
    }[weighting]
    fields = {"none": {}, "list": {"weights": weights.tolist()}, "balanced": {"balanced": True}}[weighting]
    loss = build_loss("cross_entropy", fractions, label_smoothing=smoothing, **fields)
    agree(loss, lambda z, t: smoothed_cross_entropy(z, t, weights, smoothing), logits, target)


def test_balanced_weights_are_those_of_scikit_learn_if_batches_are_natural(build_loss, random_batch):
    _, target = random_batch(4)
    loss = build_loss("cross_entropy", np.bincount(target) / len(target), balanced=True)
    expected = compute_class_weight("balanced", classes=np.arange(4), y=target)
    np.testing.assert_allclose(loss.weights.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("num_classes", CLASSES)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_focal(build_loss, random_batch, agree, num_classes, gamma, weighted):
    logits, target = random_batch(num_classes)
    weights = np.arange(1.0, num_classes + 1) if weighted else np.ones(num_classes)

    def formula(z, t):
        p = softmax(z, axis=1)[np.arange(len(t)), t]
        return -(weights[t] * (1 - p) ** gamma * np.log(p)).sum() / weights[t].sum()

    fields = {"weights": weights.tolist()} if weighted else {}
    agree(build_loss("focal", shares(num_classes), gamma=gamma, **fields), formula, logits, target)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_stays_finite_if_p_rounds_to_one_or_to_zero(build_loss, gamma):
    logits = torch.tensor([[200.0, -200.0], [200.0, -200.0]], requires_grad=True)
    build_loss("focal", [0.5, 0.5], gamma=gamma).float()(logits, torch.tensor([0, 1])).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[1, 1] < -0.4


@pytest.mark.parametrize("num_classes", CLASSES)
@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_logit_adjusted(build_loss, random_batch, agree, num_classes, tau):
    logits, target = random_batch(num_classes)
    fractions = shares(num_classes)

    def formula(z, t):
        return -log_softmax(z + tau * np.log(fractions), axis=1)[np.arange(len(t)), t].mean()

    agree(build_loss("logit_adjusted", fractions, tau=tau), formula, logits, target)


def test_balanced_softmax_is_ren_2020(build_loss, random_batch, agree):
    logits, target = random_batch(4)
    counts = np.array([80.0, 40.0, 20.0, 20.0])

    def formula(z, t):
        mass = counts * np.exp(z)
        return -np.log((mass / mass.sum(1, keepdims=True))[np.arange(len(t)), t]).mean()

    agree(build_loss("balanced_softmax", counts / counts.sum()), formula, logits, target)


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
def test_logit_adjusted_output_is_calibrated_at_its_output_prior(build_loss, tau):
    """One discrete feature, batches at shares f: at p(x|y) times output_prior the expected loss is stationary."""
    likelihood = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])  # [class, x]
    fractions = np.array([0.8, 0.15, 0.05])
    loss = build_loss("logit_adjusted", fractions, tau=tau)
    logits = torch.tensor(np.log(likelihood.T * loss.output_prior.numpy()), requires_grad=True)  # [x, class]
    total = sum(
        fractions[y] * likelihood[y, x] * loss(logits[x][None], torch.tensor([y])) for y in range(3) for x in range(3)
    )
    total.backward()
    np.testing.assert_allclose(logits.grad.numpy(), 0, atol=1e-7)


def test_weighted_cross_entropy_output_prior(build_loss):
    loss = build_loss("cross_entropy", [0.6, 0.3, 0.1], weights=[1.0, 2.0, 3.0])
    np.testing.assert_allclose(loss.output_prior.numpy(), np.array([0.6, 0.6, 0.3]) / 1.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "cross_entropy", "weights": [1.0, 2.0], "balanced": True}, r"loss\.weights=.*exclude"),
        ({"name": "focal", "weights": [1.0, 2.0], "balanced": True}, r"loss\.weights=.*exclude"),
        ({"name": "cross_entropy", "weights": [1.0, 0.0]}, r"loss\.weights=.*above 0"),
        ({"name": "cross_entropy", "label_smoothing": 1.0}, r"loss\.label_smoothing=1\.0 .*below 1"),
        ({"name": "focal", "gamma": -1}, r"loss\.gamma=-1\.0 "),
        ({"name": "logit_adjusted", "tau": "much"}, r"loss\.tau=much "),
        ({"name": "soft_f1", "form": "mean"}, r"loss\.form=mean .*log_of_mean"),
        ({"name": "soft_f2"}, r"loss=soft_f2 .*did you mean 'soft_f1'"),
    ],
)
def test_mistakes_are_named_before_anything_starts(fields, message):
    with pytest.raises(UserError, match=message):
        losses.typed(fields)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("cross_entropy", {"balanced": True}),
        ("focal", {"balanced": True}),
        ("logit_adjusted", {}),
        ("balanced_softmax", {}),
        ("soft_f1", {"prior_weighted": True}),
    ],
)
def test_a_class_never_drawn_is_named_if_the_loss_divides_by_its_fraction(build_loss, name, fields):
    with pytest.raises(UserError, match=r"never draws class index 2 \(class2\)\.$"):
        build_loss(name, [0.5, 0.5, 0.0], **fields)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 5.0]])
def test_the_output_prior_is_what_a_network_that_knows_nothing_answers(build_loss, weights):
    """Under label smoothing and weights too: the best constant logits on a survey without information."""
    fractions = np.array([0.7, 0.2, 0.1])
    target = torch.tensor(np.repeat([0, 1, 2], (70, 20, 10)))
    loss = build_loss("cross_entropy", fractions, weights=weights, label_smoothing=0.1)
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(logits.expand(len(target), 3), target)
        value.backward()
        return value

    optimizer.step(closure)
    np.testing.assert_allclose(loss.output_prior.numpy(), logits.detach().softmax(0).numpy(), atol=1e-4)


def test_a_class_that_is_never_drawn_has_no_output_prior_under_smoothing(build_loss):
    loss = build_loss("cross_entropy", [0.5, 0.5, 0.0], label_smoothing=0.3)
    np.testing.assert_allclose(loss.output_prior.numpy(), [0.5, 0.5, 0.0])

"""What the tests of losses share: building a loss by name, and float64 helpers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from spectral.configs.losses import losses

Batch = tuple[NDArray[np.float64], NDArray[np.int64]]


@pytest.fixture
def build_loss() -> Callable[..., nn.Module]:
    """build(name, fractions, priors, **fields): the loss, in float64."""

    def build(name: str, fractions: object, priors: object = None, **fields: object) -> nn.Module:
        batch_fractions = torch.tensor(np.asarray(fractions), dtype=torch.float64)
        class_priors = batch_fractions if priors is None else torch.tensor(np.asarray(priors), dtype=torch.float64)
        config = losses.typed({"name": name, **fields})
        context = {"batch_fractions": batch_fractions, "class_priors": class_priors}
        class_names = [f"class{index}" for index in range(len(batch_fractions))]
        return losses.build(config, num_classes=len(class_names), class_names=class_names, **context).double()

    return build


@pytest.fixture
def random_batch() -> Callable[..., Batch]:
    """random_batch(K, seed): logits [B, K] and a target [B] that holds every class at least twice."""

    def make(num_classes: int, seed: int = 0, scale: float = 2.0) -> Batch:
        rng = np.random.default_rng([seed, num_classes])
        target = np.concatenate([np.repeat(np.arange(num_classes), 2), rng.integers(0, num_classes, 11)])
        return scale * rng.standard_normal((len(target), num_classes)), rng.permutation(target)

    return make


@pytest.fixture
def agree() -> Callable[..., None]:
    """agree(loss, formula, logits, target): value equals the formula, gradient its central differences."""

    def check(loss: nn.Module, formula: Callable[..., float], logits: NDArray[np.float64], target: object) -> None:
        z = torch.tensor(logits, requires_grad=True)
        value = loss(z, torch.tensor(target))
        value.backward()
        assert value.shape == ()
        np.testing.assert_allclose(value.item(), formula(logits, target), rtol=1e-6)
        np.testing.assert_allclose(z.grad.numpy(), differences(formula, logits, target), rtol=2e-5, atol=1e-8)

    return check


def differences(formula: Callable[..., float], logits: NDArray[np.float64], target: object) -> NDArray[np.float64]:
    step = 1e-5
    gradient = np.zeros_like(logits)
    for index in np.ndindex(*logits.shape):
        nudge = np.zeros_like(logits)
        nudge[index] = step
        gradient[index] = (formula(logits + nudge, target) - formula(logits - nudge, target)) / (2 * step)
    return gradient

"""The first two steps of each optimizer against its formula in float64."""

import subprocess
import sys
from typing import Any

import pytest
import torch

from spectral.configs.optimizer import optimizers
from spectral.errors import UserError

START, GRADIENTS, LR = 0.5, (2e-6, -3e-6), 0.01


def steps(name: str, **options: Any) -> list[float]:
    """The weight after each of two steps along GRADIENTS, from START."""
    weight = torch.nn.Parameter(torch.tensor([START], dtype=torch.float64))
    optimizer = optimizers.build(optimizers.typed({"name": name, "lr": LR, **options}), parameters=[weight])
    seen = []
    for gradient in GRADIENTS:
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        seen.append(float(weight.detach()))
    return seen


def adam_steps(eps: float, decay: float = 0.0, beta1: float = 0.9, beta2: float = 0.999) -> list[float]:
    """Kingma and Ba 2015, algorithm 1; decoupled decay as in Loshchilov and Hutter 2019, algorithm 2."""
    weight, mean, square, seen = START, 0.0, 0.0, []
    for number, gradient in enumerate(GRADIENTS, start=1):
        weight *= 1 - LR * decay
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        weight -= LR * (mean / (1 - beta1**number)) / ((square / (1 - beta2**number)) ** 0.5 + eps)
        seen.append(weight)
    return seen


@pytest.mark.parametrize("eps", [1e-7, 1e-5])
def test_adam(eps: float) -> None:
    assert steps("adam", eps=eps) == pytest.approx(adam_steps(eps), rel=1e-12)


def test_adam_has_keras_s_epsilon_by_default() -> None:
    assert steps("adam") == pytest.approx(adam_steps(1e-7), rel=1e-12)
    assert steps("adam") != pytest.approx(adam_steps(1e-8), rel=1e-6)


def test_adamw_decays_the_weight_itself() -> None:
    assert steps("adamw", weight_decay=0.3) == pytest.approx(adam_steps(1e-8, decay=0.3), rel=1e-12)


def test_beta1_and_beta2_are_not_swapped() -> None:
    assert steps("adam", beta1=0.5, beta2=0.7) == pytest.approx(adam_steps(1e-7, 0.0, 0.5, 0.7), rel=1e-12)


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd(nesterov: bool) -> None:
    """Sutskever et al. 2013 in the form of torch: v = mu v + g; the step is g + mu v, or v without Nesterov."""
    weight, velocity, expected = START, 0.0, []
    for gradient in GRADIENTS:
        total = gradient + 0.1 * weight
        velocity = 0.9 * velocity + total
        weight -= LR * (total + 0.9 * velocity if nesterov else velocity)
        expected.append(weight)
    assert steps("sgd", momentum=0.9, nesterov=nesterov, weight_decay=0.1) == pytest.approx(expected, rel=1e-12)


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(UserError, match=r"optimizer\.nesterov=true needs optimizer\.momentum above 0"):
        optimizers.typed({"name": "sgd", "momentum": 0.0})
    assert optimizers.typed({"name": "sgd", "momentum": 0.0, "nesterov": False}).momentum == 0


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("adam", lambda weights: torch.optim.Adam(weights, lr=LR, eps=1e-7, fused=True)),
        ("adamw", lambda weights: torch.optim.AdamW(weights, lr=LR, weight_decay=0.01, fused=True)),
        ("sgd", lambda weights: torch.optim.SGD(weights, lr=LR, momentum=0.9, nesterov=True, fused=True)),
    ],
)
def test_weights_and_state_are_those_of_torch_to_the_bit(name: str, theirs: Any) -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(7, 5), torch.randn(4, 7, 5)
    ends = []
    for build in (lambda w: optimizers.build(optimizers.typed({"name": name, "lr": LR}), parameters=w), theirs):
        weight = torch.nn.Parameter(start.clone())
        optimizer = build([weight])
        for gradient in gradients:
            optimizer.zero_grad()
            (weight * gradient).sum().backward()
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
        ends.append([weight.detach(), *optimizer.state_dict()["state"][0].values()])
    for mine, its in zip(*ends, strict=True):
        assert torch.equal(torch.as_tensor(mine), torch.as_tensor(its))


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_weights_of_convolutions_move_as_by_steps_that_are_not_fused(name: str) -> None:
    """Whatever order of memory a weight and its gradient have."""
    torch.manual_seed(0)
    x = torch.randn(4, 6, 1, 20).contiguous(memory_format=torch.channels_last)
    ends = []
    for fused in (True, False):
        torch.manual_seed(1)
        layer = torch.nn.Conv2d(6, 8, (1, 3)).to(memory_format=torch.channels_last)
        optimizer = optimizers.build(optimizers.typed({"name": name, "lr": 1e-2}), parameters=layer.parameters())
        for group in optimizer.param_groups:
            group["fused"] = fused
        for _ in range(3):
            optimizer.zero_grad()
            layer(x).square().mean().backward()
            optimizer.step()
        ends.append(layer.weight.detach())
    torch.testing.assert_close(*ends, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_step_does_not_import_the_compiler_of_torch() -> None:
    """Its import takes as long as that of torch, in each run and in each worker of a sweep."""
    program = (
        "import sys, torch; from spectral.training import optimizers\n"
        "weight = torch.nn.Parameter(torch.ones(3))\n"
        "sgd = optimizers.sgd([weight], .1, .9, True, 0)\n"
        "for optimizer in (optimizers.adam([weight], 1e-3, .9, .999, 1e-7), sgd):\n"
        "    optimizer.zero_grad(); weight.sum().backward(); optimizer.step()\n"
        "    optimizer.load_state_dict(optimizer.state_dict())\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0

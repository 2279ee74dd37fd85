"""Builders of torch optimizers, by the fields of spectral.configs.optimizer.

An optimizer of torch imports torch._dynamo when it is made and when it steps, which takes as long as torch itself. It
does so only to keep a compiler out of its methods. Nothing here compiles an optimizer, so these are left as they are.
They are fused: one operation for all weights, where torch's default goes through them several times.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer


def adam(parameters: Iterable[Parameter], lr: float, beta1: float, beta2: float, eps: float) -> Optimizer:
    return _QuickAdam(parameters, lr=lr, betas=(beta1, beta2), eps=eps, fused=True)


def adamw(
    parameters: Iterable[Parameter], lr: float, beta1: float, beta2: float, eps: float, weight_decay: float
) -> Optimizer:
    return _QuickAdamW(parameters, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, fused=True)


def sgd(parameters: Iterable[Parameter], lr: float, momentum: float, nesterov: bool, weight_decay: float) -> Optimizer:
    return _QuickSGD(parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay, fused=True)


def _plain_step(optimizer: type[Optimizer]) -> Callable[..., Any]:
    """The step of a class of torch without its decorators, under no_grad as they have it."""
    step: Callable[..., Any] = torch.no_grad()(inspect.unwrap(optimizer.step))
    return step


class _QuickAdam(Adam):
    step = _plain_step(Adam)


class _QuickAdamW(AdamW):
    step = _plain_step(AdamW)


class _QuickSGD(SGD):
    step = _plain_step(SGD)


def _leave_plain(method: str) -> None:
    plain = inspect.unwrap(getattr(Optimizer, method))
    plain.__dynamo_disable = plain  # what torch._compile looks for before it imports torch._dynamo


for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
    _leave_plain(name)

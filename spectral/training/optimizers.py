"""Builders of torch optimizers, by the fields of spectral.configs.optimizer."""

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from spectral.imports import quick_imports

with quick_imports():
    import torch._dynamo  # an optimizer of torch imports it when it is made, which takes a second or two


def adam(parameters: Iterable[Parameter], lr: float, beta1: float, beta2: float, eps: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=lr, betas=(beta1, beta2), eps=eps)


def adamw(
    parameters: Iterable[Parameter], lr: float, beta1: float, beta2: float, eps: float, weight_decay: float
) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay)


def sgd(
    parameters: Iterable[Parameter], lr: float, momentum: float, nesterov: bool, weight_decay: float
) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

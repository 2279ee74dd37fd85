"""Weights averaged over the steps of training: `schedule.ema_decay`."""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


def make_ema(network: nn.Module, decay: float | None) -> AveragedModel | None:
    """An exponential moving average of the weights, updated each step; None without a decay.

    The decay warms up as min(decay, (1 + t) / (10 + t)) after t steps. Else a short run would keep the weights of its
    first step: 62 % of the average after 480 steps at a decay of 0.999.
    """
    if decay is None:
        return None

    def average(averages: Tensors, weights: Tensors, num_averaged: Tensor | int) -> None:
        num = int(ema.n_averaged)  # on the CPU: the argument is a copy on the device, which would be waited for
        update = get_ema_multi_avg_fn(min(decay, (1 + num) / (10 + num)))  # type: ignore[no-untyped-call]  # of torch
        update(averages, weights, num_averaged)

    ema = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    return ema

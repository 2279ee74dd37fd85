"""What a network and a loss must give, tried on two blank spectra. C channels, L pixels, K classes."""

from typing import Any

import torch
from torch import Tensor, nn

from spectral.errors import UserError

NUM_TRIED = 2  # spectra


def check_network(
    network: nn.Module, name: str, num_channels: int, length: int, num_classes: int, with_mask: bool
) -> None:
    """Raise UserError unless a network gives logits [B, K], if it runs on a CPU. It is left in evaluation mode.

    Args:
        name: of the model, for the sentence.
        with_mask: whether the spectra have a mask [B, L]; otherwise the network is given None.
    """
    mask = torch.zeros(NUM_TRIED, length, dtype=torch.bool) if with_mask else None
    try:
        with torch.no_grad():
            logits = network.eval()(torch.zeros(NUM_TRIED, num_channels, length), mask)
    except Exception:  # it may have layers for a GPU alone; another mistake ends the training in its traceback
        return
    if _shape(logits) != [NUM_TRIED, num_classes]:
        raise UserError(
            f"model={name} gives {_in_words(logits)} for {NUM_TRIED} spectra of {num_classes} classes: it must give "
            f"a tensor of shape {[NUM_TRIED, num_classes]}."
        )


def check_loss(loss: nn.Module, num_classes: int) -> None:
    """Raise UserError unless a loss gives a scalar."""
    logits = torch.zeros(NUM_TRIED, num_classes, requires_grad=True)
    value = loss(logits, torch.arange(NUM_TRIED) % num_classes)
    if _shape(value) != []:
        raise UserError(
            f"The loss {type(loss).__name__} gives {_in_words(value)} for {NUM_TRIED} spectra: it must give a scalar "
            "tensor, such as their mean."
        )


def _shape(given: Any) -> list[int] | None:
    return list(given.shape) if isinstance(given, Tensor) else None


def _in_words(given: Any) -> str:
    return f"a tensor of shape {list(given.shape)}" if isinstance(given, Tensor) else f"a {type(given).__name__}"

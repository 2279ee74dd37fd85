"""Weights that a network begins with: which of another network's fit, and which belong to the head.

The head is the module `head` of every network; all else is the body.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

HEAD = "head."
BY_CLASS = ("head.logits.weight", "head.logits.bias")  # [K, ...] each, one row per class

Weights = Mapping[str, Tensor]


def body_misfit(network: nn.Module, weights: Weights) -> str | None:
    """The first weight of the body by which two networks differ, in words; None if all fit."""
    there, here = _sizes(weights, is_head=False), _sizes(network.state_dict(), is_head=False)
    for name in [*here, *there]:
        if there.get(name) != here.get(name):
            return f"{name} is {_words(there.get(name))} there, {_words(here.get(name))} here"
    return None


def body_of(weights: Weights) -> dict[str, Tensor]:
    """The weights of the body alone."""
    return {name: tensor for name, tensor in weights.items() if not _is_head(name)}


def head_fits(network: nn.Module, weights: Weights) -> bool:
    """Whether the weights of the head have the same names and sizes, but for the number of classes."""
    there, here = (_without_classes(_sizes(found, is_head=True)) for found in (weights, network.state_dict()))
    return there == here


def has_rows_by_class(weights: Weights) -> bool:
    """Whether the head ends in one row of weights per class, as spectral/models/heads.py builds it."""
    return all(name in weights for name in BY_CLASS)


def load_weights(network: nn.Module, weights: Weights, classes: Sequence[int | None] | None) -> None:
    """Copy weights into a network whose body they fit.

    Args:
        classes: of each class of the network the index that it has there, or None: then its own fresh weights stay.
            None in place of the list: the whole head stays fresh.
    """
    own = network.state_dict()
    chosen = {name: tensor for name, tensor in weights.items() if classes is not None or not _is_head(name)}
    if classes is not None and has_rows_by_class(weights):
        for name in BY_CLASS:
            rows = [own[name][k] if there is None else weights[name][there] for k, there in enumerate(classes)]
            chosen[name] = torch.stack(rows)
    network.load_state_dict({**own, **chosen})


def _without_classes(sizes: dict[str, list[int]]) -> dict[str, list[int]]:
    return {name: size[1:] if name in BY_CLASS else size for name, size in sizes.items()}


def _sizes(weights: Weights, is_head: bool) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in weights.items() if _is_head(name) == is_head}


def _is_head(name: str) -> bool:
    return name.startswith(HEAD)


def _words(size: list[int] | None) -> str:
    return "absent" if size is None else "x".join(map(str, size)) or "one number"

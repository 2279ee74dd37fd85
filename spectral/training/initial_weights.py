"""Weights that a network begins with: which of another network's fit, and which belong to the head.

The head is the module `head` of every network; all else is the body.
"""

from collections.abc import Mapping

from torch import Tensor, nn

HEAD = "head."

Weights = Mapping[str, Tensor]


def body_misfit(network: nn.Module, weights: Weights) -> str | None:
    """The first weight of the body by which two networks differ, in words; None if all fit."""
    there, here = _sizes(weights, is_head=False), _sizes(network.state_dict(), is_head=False)
    for name in [*here, *there]:
        if there.get(name) != here.get(name):
            return f"{name} is {_words(there.get(name))} there, {_words(here.get(name))} here"
    return None


def head_fits(network: nn.Module, weights: Weights) -> bool:
    """Whether the weights of the head have the same names and sizes."""
    return _sizes(weights, is_head=True) == _sizes(network.state_dict(), is_head=True)


def load_weights(network: nn.Module, weights: Weights, with_head: bool) -> None:
    """Copy weights into a network whose body they fit; without the head, its fresh weights stay."""
    chosen = {name: tensor for name, tensor in weights.items() if with_head or not _is_head(name)}
    kept = {name: tensor for name, tensor in network.state_dict().items() if name not in chosen}
    network.load_state_dict({**kept, **chosen})


def _sizes(weights: Weights, is_head: bool) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in weights.items() if _is_head(name) == is_head}


def _is_head(name: str) -> bool:
    return name.startswith(HEAD)


def _words(size: list[int] | None) -> str:
    return "absent" if size is None else "x".join(map(str, size)) or "one number"

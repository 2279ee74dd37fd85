"""best.safetensors: the weights of a network, with a digest of them, so that damaged ones are never used."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from spectral.files import write_bytes

DIGEST = "digest"  # its key in the header of the file


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights whole or not at all, of any device and memory layout."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_bytes(path, save(plain, {DIGEST: _digest(plain)}))


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights, on the CPU. Those of an earlier version have no digest.

    Raises:
        SafetensorError: it is no such file, or its weights are not those that were written.
        OSError: it cannot be opened.
    """
    with safe_open(path, framework="pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (an open file, not a dict)
        written = (file.metadata() or {}).get(DIGEST)
    if written not in (None, _digest(weights)):
        raise SafetensorError("the weights are not those that were written")
    return weights


def _digest(weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

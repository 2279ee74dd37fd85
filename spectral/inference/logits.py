"""Logits of many spectra, batch by batch, never dropping the last partial one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from spectral.inputs.batches import BatchSource, Rows
from spectral.runtime import Runtime


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put the network in evaluation mode without gradients, and back."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(was_training)


def infer(network: nn.Module, store: BatchSource, rows: Rows, runtime: Runtime, batch_size: int) -> Tensor:
    """Logits [n, K], float64 on the CPU, of the survey rows [n] in their order.

    Args:
        batch_size: spectra at a time; it bounds the memory and does not change the result beyond rounding.
    """
    pieces = (rows[start : start + batch_size] for start in range(0, len(rows), batch_size))
    with evaluating(network), runtime.autocast():
        return torch.cat([network(batch.flux, batch.mask).cpu().double() for batch in store.batches(pieces)])

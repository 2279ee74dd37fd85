"""Logits of many spectra, batch by batch, never dropping the last partial one. n spectra, K classes."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from spectral.errors import UserError
from spectral.inputs.batches import BatchSource, Rows
from spectral.inputs.inputs import Inputs
from spectral.runtime import Runtime
from spectral.survey import Survey


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Put modules in evaluation mode without gradients, and back."""
    were_training = [module.training for module in modules]
    for module in modules:
        module.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, was_training in zip(modules, were_training, strict=True):
            module.train(was_training)


def batch_source(
    survey: Survey,
    inputs: Inputs,
    device: torch.device,
    length: int | None = None,
    rows: Rows | None = None,
    with_ivar: bool = False,
) -> BatchSource:
    """Batches of a survey, with what the inputs need of it.

    Args:
        length: of the batches; the survey's own by default.
        rows: a selection of the survey, whose positions are then the rows of the batches; all by default.
        with_ivar: whether something other than these inputs needs inverse variances, which the survey then has.

    Raises:
        UserError: a channel or an augmentation needs inverse variances and the survey has none.
    """
    check_ivar(survey, inputs)
    arrays = (survey.flux, survey.mask, survey.ivar if inputs.needs_ivar or with_ivar else None)
    if rows is not None:
        arrays = tuple(None if array is None else np.take(array, rows, axis=0) for array in arrays)  # type: ignore[assignment]  # still three
    flux, mask, ivar = arrays
    return BatchSource(flux, mask, device, ivar=ivar, length=length)


def check_ivar(survey: Survey, inputs: Inputs) -> None:
    """Raise UserError if a channel or an augmentation needs inverse variances and the survey has none."""
    if inputs.needs_ivar and survey.ivar is None:
        parts = [part for inputs_of in inputs.parts for part in inputs_of.channels]
        of = "channels" if any(channel.needs_ivar for channel in parts) else "augmentations"
        raise UserError(f"inputs.{of} needs inverse variances and the data has none: leave out what uses them.")


def infer(
    network: nn.Module, inputs: Inputs, source: BatchSource, rows: Rows, runtime: Runtime, batch_size: int
) -> Tensor:
    """Logits [n, K], float64 on the CPU, of the rows [n] of a source in their order.

    Args:
        batch_size: spectra at a time; it bounds the memory and does not change the result beyond rounding.
    """
    pieces = (rows[start : start + batch_size] for start in range(0, len(rows), batch_size))
    logits = []
    with evaluating(network, inputs):
        for batch in source.batches(pieces):
            channels, padding = inputs(batch.flux, batch.ivar, batch.mask)
            with runtime.autocast():
                logits.append(network(channels, padding).cpu().double())
    return torch.cat(logits)

"""From blocks of spectra to parts of class probabilities. n rows of a part, K classes."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from spectral.data.packing.parts import Span
from spectral.inference.onnx_predictor import OnnxPredictor
from spectral.inference.predictor import Predictor
from spectral.inference.too_short import too_short
from spectral.inputs.batches import BatchSource, ahead
from spectral.prediction.blocks import Block
from spectral.prediction.work import Part

AnyPredictor = Predictor | OnnxPredictor
NOT_FINITE = "the network's output is not finite"


def classified(predictor: AnyPredictor, blocks: Iterable[Block]) -> Iterator[tuple[Span, Part]]:
    """The rows of each block with their class probabilities [n, K], or why they have none."""
    for block, source in _on_device(predictor, blocks):
        num_rows, num_classes = block.span[1] - block.span[0], len(predictor.classifier.class_names)
        part = Part(np.full((num_rows, num_classes), np.nan), dict(block.problems))
        if source is not None and block.flux is not None:
            rows = np.arange(len(block.good))
            logits = predictor.logits(source, rows)
            without = dict.fromkeys(np.flatnonzero(~logits.isfinite().all(dim=1).numpy()).tolist(), NOT_FINITE)
            without |= too_short(predictor.classifier, predictor.min_pixels, block.flux.shape, block.mask)
            kept = np.setdiff1d(rows, [*without])
            part.probabilities[block.good[kept]] = torch.softmax(logits, dim=1).numpy()[kept]
            part.problems.update({int(block.good[row]): why for row, why in without.items()})
        yield block.span, part


def _on_device(predictor: AnyPredictor, blocks: Iterable[Block]) -> Iterator[tuple[Block, BatchSource | None]]:
    """The blocks with their batches; for a GPU a thread copies the next ones while it computes."""
    made = ((block, _batches(predictor, block)) for block in blocks)
    return iter(made) if predictor.runtime.device.type == "cpu" else ahead(made, num_ahead=1)


def _batches(predictor: AnyPredictor, block: Block) -> BatchSource | None:
    if block.flux is None or not len(block.good):
        return None
    ivar = block.ivar if predictor.inputs.needs_ivar else None
    device, length = predictor.runtime.device, predictor.classifier.length
    return BatchSource(block.flux, block.mask, device, ivar=ivar, length=length)


def joined(pieces: list[tuple[Span, Part]]) -> Part:
    """The part that consecutive pieces make."""
    start = pieces[0][0][0]
    problems = {position + at - start: why for (at, _), piece in pieces for position, why in piece.problems.items()}
    return Part(np.concatenate([piece.probabilities for _, piece in pieces]), problems)

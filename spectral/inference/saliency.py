"""What a network's decision rests on: each pixel's gradient times its value.

B batch, S survey channels, L length, n spectra.

Simonyan et al. 2014, arXiv:1312.6034, take the gradient; Shrikumar et al. 2016, arXiv:1605.01713, its product with the
input. Of a linear network the products add up to the logit less its bias.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.logits import batch_source
from spectral.inputs.batches import Batch, Rows
from spectral.inputs.inputs import Inputs
from spectral.runs.folder import RunFolder
from spectral.survey import Survey

BATCH_SIZE = 16  # a backward pass keeps every activation


def gradient_times_input(network: nn.Module, inputs: Inputs, batch: Batch, classes: Tensor) -> Tensor:
    """Gradient of one logit of each spectrum by its scaled flux, times that flux [B, S, L]: positive if for the class.

    Inputs of several parts scale the flux in several ways, and the products are added up. Channels that are not made of
    the scaled flux, such as `snr`, stay as they are.

    Args:
        network: in evaluation mode.
        classes: [B], whose logit.

    Raises:
        UserError: no channel is made of the scaled flux.
    """
    pixels = [part.pixels(batch.flux, batch.ivar, batch.mask) for part in inputs.parts]
    fluxes = [of_part.flux.detach().requires_grad_() for of_part in pixels]
    with torch.enable_grad():
        made = [
            part.make_channels(of_part._replace(flux=flux))
            for part, of_part, flux in zip(inputs.parts, pixels, fluxes, strict=True)
        ]
        if not any(channels.requires_grad for channels in made):
            raise UserError(
                "inputs.channels of the run names no channel that is made of the scaled flux, and saliency is the "
                "gradient by that flux."
            )
        padding = None if batch.mask is None else ~pixels[0].inside
        chosen = network(torch.cat(made, dim=1), padding).gather(1, classes[:, None]).sum()
        gradients = torch.autograd.grad(chosen, fluxes, allow_unused=True, materialize_grads=True)
    return torch.stack([gradient * flux for gradient, flux in zip(gradients, fluxes, strict=True)]).sum(0).detach()


def run_saliency(run: Path, survey: Survey, rows: Rows, class_names: list[str]) -> NDArray[np.float32]:
    """Saliency [n, S, L] of survey rows [n] under the weights that a run keeps, on the CPU.

    Args:
        run: the run's folder.
        survey: of the run's length and channels.
        class_names: [n], of each row the class whose logit is asked about.

    Raises:
        UserError: the run has no weights, they cannot be read, or none of its channels is made of the scaled flux.
    """
    folder = RunFolder(run)
    classifier = Classifier.load(folder)
    runtime = classifier.choose_runtime("cpu", "float32")  # others may be using the whole GPU, or its memory
    network = runtime.prepare(classifier.load_trained(folder).requires_grad_(False)).eval()
    inputs = classifier.build_inputs().eval()
    source = batch_source(survey, inputs, runtime.device, rows=rows)
    classes = torch.tensor([classifier.class_names.index(name) for name in class_names], device=runtime.device)
    pieces = []
    for start in range(0, len(rows), BATCH_SIZE):
        batch = source.gather(np.arange(start, min(start + BATCH_SIZE, len(rows))))
        piece = gradient_times_input(network, inputs, batch, classes[start : start + BATCH_SIZE])
        pieces.append(piece.cpu().numpy())
    return np.concatenate(pieces)

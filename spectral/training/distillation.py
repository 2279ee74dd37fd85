"""Learning the probabilities of another network with the labels. n spectra, B batch, K classes.

Source: Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network" (arXiv 1503.02531), section 2.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Teacher:
    """What a teacher says of the training spectra.

    Args:
        log_probabilities: [n, K] of the training split's spectra in their order, on the device.
        output_prior: [K], the class priors at which they stand, all above 0.
        weight: share of the loss that they have; the labels have the rest.
        temperature: of both softmaxes; the gradients are scaled by its square, as in the paper.
    """

    log_probabilities: Tensor
    output_prior: Tensor
    weight: float
    temperature: float

    def targets(self, positions: Tensor, output_prior: Tensor) -> Tensor:
        """What the teacher says of a batch, at the class priors [K] at which the student's loss trains.

        Probabilities [B, K] at the temperature. Cross-entropy to them is least where the student's own loss is too:
        for the same posterior.
        """
        ratio = output_prior.log() - self.output_prior.log()
        return ((self.log_probabilities[positions] + ratio) / self.temperature).softmax(dim=1)

    def mixed(self, value: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of a batch: that of its labels, `value`, and the cross-entropy of logits [B, K] to the targets."""
        log_p = (logits / self.temperature).log_softmax(dim=1)
        distance = -(targets * log_p).sum(dim=1).mean() * self.temperature**2
        return (1 - self.weight) * value + self.weight * distance


def prior_of(loss: nn.Module) -> Tensor:
    """The class priors [K] at which the probabilities of a network stand that is trained with a loss."""
    return loss.get_buffer("output_prior").to(torch.float32)

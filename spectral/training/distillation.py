"""Learning the probabilities of another network with the labels.

n spectra, B batch, S survey channels, C channels, L length, K classes.

Source: Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network" (arXiv 1503.02531), section 2.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from spectral.inputs.augmentations import Spectra
from spectral.inputs.batches import padded
from spectral.inputs.inputs import Inputs
from spectral.runtime import Runtime
from spectral.training.mixup import Mixture


class View(NamedTuple):
    """A batch as the student sees it.

    Args:
        positions: [B] in the training split.
        spectra: flux [B, S, L], inverse variance [B, S, L] or None, and mask [B, L] or None, augmented.
        channels: [B, C, L] of the student's network, mixed if spectra are.
        padding: [B, L], True = padding; None if no pixel is.
        mixture: how spectra are mixed; None if they are not.
    """

    positions: Tensor
    spectra: Spectra
    channels: Tensor
    padding: Tensor | None
    mixture: Mixture | None


@dataclass(frozen=True)
class Teacher:
    """Whose probabilities are learned; a subclass says of which spectra they are.

    `needs_ivar`: whether the batches must have inverse variances for it.

    Args:
        output_prior: [K], the class priors at which the probabilities stand, all above 0.
        weight: share of the loss that they have; the labels have the rest.
        temperature: of both softmaxes; the gradients are scaled by its square, as in the paper.
    """

    output_prior: Tensor
    weight: float
    temperature: float

    @property
    def needs_ivar(self) -> bool:
        return False

    def targets(self, view: View, output_prior: Tensor) -> Tensor:
        """What the teacher says of a batch, at the class priors [K] at which the student's loss trains.

        Probabilities [B, K] at the temperature. Cross-entropy to them is least where the student's own loss is too:
        for the same posterior.
        """
        raise NotImplementedError

    def mixed(self, value: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of a batch: that of its labels, `value`, and the cross-entropy of logits [B, K] to the targets."""
        log_p = (logits / self.temperature).log_softmax(dim=1)
        distance = -(targets * log_p).sum(dim=1).mean() * self.temperature**2
        return (1 - self.weight) * value + self.weight * distance

    def _softened(self, log_probabilities: Tensor, output_prior: Tensor) -> Tensor:
        """Log-probabilities [B, K] as probabilities at other class priors [K] and the temperature."""
        ratio = output_prior.log() - self.output_prior.log()
        return ((log_probabilities + ratio) / self.temperature).softmax(dim=1)


@dataclass(frozen=True)
class TeacherOfSpectra(Teacher):
    """It saw the training spectra once, as they are.

    Args:
        log_probabilities: [n, K] of the training split's spectra in their order, on the device.
    """

    log_probabilities: Tensor

    def targets(self, view: View, output_prior: Tensor) -> Tensor:
        """As above; of mixtures the probabilities of both spectra, in their shares."""
        found = self._softened(self.log_probabilities[view.positions], output_prior)
        return view.mixture.of_both(found) if view.mixture else found


@dataclass(frozen=True)
class TeacherOfBatches(Teacher):
    """It sees each batch as the student does: augmented and mixed (Beyer et al. 2022, arXiv 2106.05237).

    Args:
        network: in evaluation mode, prepared by the runtime.
        inputs: its own, in evaluation mode too; None if they are those of the student.
        length: of its spectra, at least L; the pixels that are missing are padding.
    """

    network: nn.Module
    inputs: Inputs | None
    length: int
    runtime: Runtime

    @property
    def needs_ivar(self) -> bool:
        return self.inputs is not None and self.inputs.needs_ivar

    @torch.no_grad()  # not inference_mode, whose tensors no backward pass may read
    def targets(self, view: View, output_prior: Tensor) -> Tensor:
        """As above; mixtures are seen as they are, for which the inputs must be the student's."""
        channels, padding = view.channels, view.padding
        if self.inputs is not None:
            assert view.mixture is None
            num_missing = self.length - view.spectra[0].shape[2]
            channels, padding = self.inputs(*padded(*view.spectra, num_missing))
        with self.runtime.autocast():
            logits: Tensor = self.network(channels, padding).float()
        return self._softened(logits.log_softmax(dim=1), output_prior)


def prior_of(loss: nn.Module) -> Tensor:
    """The class priors [K] at which the probabilities of a network stand that is trained with a loss."""
    return loss.get_buffer("output_prior").to(torch.float32)

"""What a classical method is. n spectra, C channels, L pixels, K classes, F features."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.baselines.channels import Channels

Labels = NDArray[np.int64]
Features = NDArray[np.float32]
Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """What every method gets.

    Args:
        num_classes: K.
        seed: of all that is drawn.
        num_threads: of the CPU.
        objects: of the training spectra [n], a number for each; None if the survey names no groups.
    """

    num_classes: int
    seed: int
    num_threads: int
    objects: Labels | None = None


class Method(ABC):
    """A classifier of channels. A subclass adds its options to the constructor's arguments.

    Args:
        class_weight: "balanced": every class weighs the same in training, and the probabilities are those at equal
            class shares, unless the method's `output_prior` says others; "none": every spectrum weighs the same, and
            they are those at the training split's shares.
    """

    def __init__(self, class_weight: str, setting: Setting) -> None:
        self.class_weight = None if class_weight == "none" else class_weight  # as scikit-learn has it
        self.setting = setting

    @classmethod  # noqa: B027  (most methods need no package of their own)
    def check_installed(cls, name: str) -> None:
        """Raise UserError if the method of this name needs a package that is not there."""

    @abstractmethod
    def fit(self, channels: Channels, labels: Labels) -> None:
        """Train on the channels of n spectra and their classes [n], of which there are two or more.

        Raises:
            UserError: there are too few spectra, or too few pixels.
        """

    @abstractmethod
    def predict(self, channels: Channels) -> Iterator[tuple[Any, Probabilities]]:
        """The classes that have a column, and probabilities [b, columns], some spectra at a time."""

    def probabilities(self, channels: Channels) -> Probabilities:
        """Class probabilities [n, K]; 0 for a class that the training spectra did not have."""
        probability, start = np.zeros((len(channels), self.setting.num_classes)), 0
        for classes, piece in self.predict(channels):
            probability[start : start + len(piece), classes] = piece
            start += len(piece)
        return probability

    def output_prior(self, class_priors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The class shares [K] at which the probabilities stand, after the fit.

        Args:
            class_priors: [K], of the training split. A class with 0 gets a share all the same: there is nothing to
                correct where the probability is always 0, and the correction divides by it.
        """
        equal = np.full(self.setting.num_classes, 1 / self.setting.num_classes)
        return equal if self.class_weight else self.training_shares(class_priors)

    def training_shares(self, class_priors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those of the training split [K], and an equal share for a class that it does not have; argument as above."""
        return np.where(class_priors > 0, class_priors, 1 / self.setting.num_classes)

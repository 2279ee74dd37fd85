"""A trained run, ready to be applied: its network, its inputs and its decision rule. n spectra, K classes."""

from dataclasses import dataclass

from torch import Tensor, nn

from spectral.inference.classifier import Classifier
from spectral.inference.logits import batch_source, infer
from spectral.inference.too_short import min_pixels_of
from spectral.inputs.batches import BatchSource, Rows
from spectral.inputs.inputs import Inputs
from spectral.runs.folder import RunFolder
from spectral.runtime import Runtime
from spectral.scoring.metrics import Labels
from spectral.scoring.scores import softmax
from spectral.scoring.split_scores import Probabilities
from spectral.survey import Survey


@dataclass
class Predictor:
    """Gives class probabilities of batches of spectra, and decides on a class. Threads may share one.

    Args:
        network: with the weights that its run keeps, on the runtime's device; put in evaluation mode, as the inputs.
        batch_size: spectra at a time.
    """

    classifier: Classifier
    network: nn.Module
    inputs: Inputs
    runtime: Runtime
    batch_size: int

    def __post_init__(self) -> None:
        # A thread that is done puts them back in the mode that it found, while others still compute.
        self.network.eval()
        self.inputs.eval()

    @classmethod
    def load(cls, folder: RunFolder, classifier: Classifier, runtime: Runtime, batch_size: int) -> "Predictor":
        """The predictor of a run.

        Raises:
            UserError: the run has no weights yet, or they cannot be read.
        """
        network = runtime.prepare(classifier.load_network(folder))
        return cls(classifier, network, classifier.build_inputs(), runtime, batch_size)

    @property
    def min_pixels(self) -> int:
        """The fewest pixels, from the first to the last good one, that the network needs; of all members."""
        return min_pixels_of(self.network)

    def source(self, survey: Survey) -> BatchSource:
        """Batches of a survey, padded to the length of the run's own spectra."""
        return batch_source(survey, self.inputs, self.runtime.device, self.classifier.length)

    def logits(self, source: BatchSource, rows: Rows) -> Tensor:
        """Logits [n, K], float64 on the CPU, of the rows [n] of a source."""
        return infer(self.network, self.inputs, source, rows, self.runtime, self.batch_size)

    def probabilities(self, survey: Survey, rows: Rows) -> Probabilities:
        """Class probabilities [n, K] of survey rows [n], at the class priors `classifier.output_prior`."""
        return softmax(self.logits(self.source(survey), rows))

    def decide(self, probabilities: Probabilities) -> Labels:
        """The class [n] that the run's decision rule gives to probabilities [n, K].

        Raises:
            UserError: the run has not ended.
        """
        return self.classifier.build_decision()(probabilities)

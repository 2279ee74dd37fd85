"""What a loss must offer. B batch, K classes."""

from torch import Tensor, nn


class Loss(nn.Module):
    """From logits [B, K] and target [B] int64 to a scalar, the loss of the batch.

    A loss also says what its network's probabilities mean: decision rules, ensembles and predictions at other class
    priors need it.

    Args:
        output_prior: [K], the class priors at which softmax(logits) is a calibrated posterior, or nearly so.
    """

    output_prior: Tensor

    def __init__(self, output_prior: Tensor) -> None:
        super().__init__()
        self.register_buffer("output_prior", output_prior, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        raise NotImplementedError

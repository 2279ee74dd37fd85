"""Cross-entropy with class weights and label smoothing. Shape letters: B batch, K classes."""

import torch.nn.functional as F
from torch import Tensor, nn

from spectral.losses.class_weights import class_weights, reweighted


class CrossEntropy(nn.Module):
    """-sum_b w_y log p_y / sum_b w_y: logits [B, K], target [B] int64 -> scalar, the weighted mean over the batch.

    Label smoothing s replaces the target by (1 - s) onehot + s / K (Szegedy et al. 2016, section 7).

    Args:
        weights: [K], in class order, or None for equal weights.
        balanced: weights 1 / (K f_c) instead.
        label_smoothing: s, in [0, 1).
        batch_fractions: f [K], the fraction of each class in the training batches.
    """

    weights: Tensor | None
    output_prior: Tensor  # [K], the class priors at which softmax(logits) is a calibrated posterior

    def __init__(
        self, weights: list[float] | None, balanced: bool, label_smoothing: float, batch_fractions: Tensor
    ) -> None:
        super().__init__()
        fractions = batch_fractions.float()
        self.register_buffer("weights", class_weights(weights, balanced, fractions), persistent=False)
        self.register_buffer("output_prior", reweighted(fractions, self.weights), persistent=False)
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, self.weights, label_smoothing=self.label_smoothing)

"""Cross-entropy with class weights and label smoothing. Shape letters: B batch, K classes."""

import torch.nn.functional as F
from torch import Tensor

from spectral.losses.contract import Loss
from spectral.losses.shares import class_weights, reweighted


class CrossEntropy(Loss):
    """-sum_b w_y log p_y / sum_b w_y: logits [B, K], target [B] int64 -> scalar, the weighted mean over the batch.

    Label smoothing s replaces the target by (1 - s) onehot + s / K (Szegedy et al. 2016, section 7).

    Args:
        weights: [K], or None for equal weights.
        balanced: weights 1 / (K f_c) instead.
        label_smoothing: s, in [0, 1).
        batch_fractions: f [K], the share of each class in the training batches.
    """

    weights: Tensor | None

    def __init__(
        self, weights: list[float] | None, balanced: bool, label_smoothing: float, batch_fractions: Tensor
    ) -> None:
        fractions = batch_fractions.float()
        by_class = class_weights(weights, balanced, fractions)
        super().__init__(output_prior=reweighted(fractions, by_class))
        self.register_buffer("weights", by_class, persistent=False)
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, self.weights, label_smoothing=self.label_smoothing)

"""Focal loss. Shape letters: B batch, K classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from spectral.losses.class_weights import class_weights, reweighted
from spectral.losses.contract import Loss


class Focal(Loss):
    """-sum_b w_y (1 - p_y)^gamma log p_y / sum_b w_y: logits [B, K], target [B] int64 -> scalar, a weighted mean.

    Lin et al. 2017 (arXiv 1708.02002), equations 4 and 5, for K classes by softmax. gamma = 0 is cross-entropy.

    Args:
        gamma: how strongly easy spectra are played down, >= 0.
        weights: [K], in class order, alpha of the paper, or None for equal weights.
        balanced: weights 1 / (K f_c) instead.
        batch_fractions: f [K], the fraction of each class in the training batches.
        class_names: [K], for error sentences.
    """

    weights: Tensor | None

    def __init__(
        self,
        gamma: float,
        weights: list[float] | None,
        balanced: bool,
        batch_fractions: Tensor,
        class_names: Sequence[str] | None = None,
    ) -> None:
        fractions = batch_fractions.float()
        by_class = class_weights(weights, balanced, fractions, class_names)
        super().__init__(output_prior=reweighted(fractions, by_class))  # nearly: focal loss flattens the posterior
        self.register_buffer("weights", by_class, persistent=False)
        self.gamma = gamma

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = logits.log_softmax(1).gather(1, target[:, None]).squeeze(1)
        # Where 1 - p rounds to 0 the power has an infinite slope for gamma < 1; the clamp makes it 0.
        miss = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).eps)
        loss = -(miss**self.gamma) * log_p
        if self.weights is None:
            return loss.mean()
        weight = self.weights[target]
        return (weight * loss).sum() / weight.sum()

"""Cross-entropy with class weights and label smoothing. Shape letters: B batch, K classes."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from spectral.losses.class_weights import class_weights, reweighted
from spectral.losses.contract import Loss


class CrossEntropy(Loss):
    """-sum_b w_y log p_y / sum_b w_y: logits [B, K], target [B] int64 -> scalar, the weighted mean over the batch.

    Label smoothing s gives sum_b [-(1 - s) w_y log p_y - (s / K) sum_c w_c log p_c] / sum_b w_y, as torch has it.
    Without weights that is a target of (1 - s) onehot + s / K (Szegedy et al. 2016, section 7).

    A network that knows nothing of x then answers p_c in proportion to w_c ((1 - s) f_c + s / K), the output prior.

    Args:
        weights: [K], in class order, or None for equal weights.
        balanced: weights 1 / (K f_c) instead.
        label_smoothing: s, in [0, 1).
        batch_fractions: f [K], the fraction of each class in the training batches.
        class_names: [K], for error sentences.
    """

    weights: Tensor | None

    def __init__(
        self,
        weights: list[float] | None,
        balanced: bool,
        label_smoothing: float,
        batch_fractions: Tensor,
        class_names: Sequence[str] | None = None,
    ) -> None:
        fractions = batch_fractions.float()
        by_class = class_weights(weights, balanced, fractions, class_names)
        super().__init__(output_prior=reweighted(_smoothed(fractions, label_smoothing), by_class))
        self.register_buffer("weights", by_class, persistent=False)
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, self.weights, label_smoothing=self.label_smoothing)


def _smoothed(fractions: Tensor, label_smoothing: float) -> Tensor:
    """The fractions [K] under smoothed labels; a class that is never drawn keeps its 0, and so is still refused."""
    smoothed = (1 - label_smoothing) * fractions + label_smoothing / len(fractions)
    kept = smoothed.where(fractions > 0, 0.0)
    return kept / kept.sum()

"""Logit-adjusted cross-entropy and balanced softmax. Shape letters: B batch, K classes."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from spectral.losses.class_weights import require_drawn
from spectral.losses.contract import Loss


class LogitAdjusted(Loss):
    """Cross-entropy of logits + tau log f: logits [B, K], target [B] int64 -> scalar, the mean over the batch.

    Menon et al. 2021 (arXiv 2007.07314), equation 10. The paper's prior is that of the training examples as they are
    drawn, so f is the fraction of each class in the *batches*, not in the survey: the minimum is then
    logits = log p(x|y) + (1 - tau) log f + const for any sampler, and tau = 1 maximises the mean recall. Adjusting
    class-sampled batches by the survey's prior would correct twice.

    Args:
        tau: the strength, >= 0; 0 is plain cross-entropy.
        batch_fractions: f [K], the fraction of each class in the training batches, each above 0.
        class_names: [K], for error sentences.
    """

    shift: Tensor  # [K]

    def __init__(self, tau: float, batch_fractions: Tensor, class_names: Sequence[str] | None = None) -> None:
        require_drawn(batch_fractions, "A logit-adjusted loss", class_names)
        log_fractions = batch_fractions.float().log()
        super().__init__(output_prior=((1 - tau) * log_fractions).softmax(0))  # f^(1 - tau)
        self.register_buffer("shift", tau * log_fractions, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits + self.shift, target)


class BalancedSoftmax(LogitAdjusted):
    """Balanced softmax (Ren et al. 2020, arXiv 2007.10740, theorem 1): logit adjustment with tau = 1."""

    def __init__(self, batch_fractions: Tensor, class_names: Sequence[str] | None = None) -> None:
        super().__init__(1.0, batch_fractions, class_names)

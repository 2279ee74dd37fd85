"""Soft macro-F1 losses. Shape letters: B batch, K classes."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from spectral.losses.class_weights import require_drawn
from spectral.losses.contract import Loss


class SoftF1(Loss):
    """A loss of F_c = 2 TP_c / (N_c + P_c) with soft counts: logits [B, K], target [B] int64 -> scalar of the batch.

    TP_c = sum_b w_b y_bc p_bc, N_c = sum_b w_b y_bc, P_c = sum_b w_b p_bc, with y one-hot and p the softmax.

    Forms:
        log_of_mean: -log((1/K) sum_c 2 TP_c / (N_c + P_c + eps) + eps), of Su 2018 (kexue.fm, archives/5505). A
            class absent from the batch has F_c = 0.
        mean_of_logs: (1/K) sum_c -log F_c, in the log domain, so that the gradient of a confidently wrong spectrum
            stays however small p is. A class absent from the batch adds 0: its -log 0 would be a constant without
            gradient, and the other classes keep the gradient they have without it.

    Args:
        form: "log_of_mean" or "mean_of_logs".
        prior_weighted: w_b = pi_y / f_y, which gives the counts of batches at the survey's prior; 1 otherwise.
        eps: of log_of_mean.
        class_priors: pi [K], the share of each class in the training split.
        batch_fractions: f [K], the share of each class in the training batches.
        class_names: [K], for error sentences.
    """

    ratio: Tensor  # [K], weight of a spectrum by its class

    def __init__(
        self,
        form: str,
        prior_weighted: bool,
        eps: float,
        class_priors: Tensor,
        batch_fractions: Tensor,
        class_names: Sequence[str] | None = None,
    ) -> None:
        priors, fractions = class_priors.float(), batch_fractions.float()
        if prior_weighted:
            require_drawn(fractions, "loss.prior_weighted=true", class_names)
        super().__init__(output_prior=priors if prior_weighted else fractions)  # nearly: an F1 loss does not calibrate
        ratio = priors / fractions if prior_weighted else torch.ones_like(fractions)
        self.register_buffer("ratio", ratio, persistent=False)
        self.form, self.eps = form, eps

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        weight = self.ratio[target][:, None]
        y = F.one_hot(target, len(self.ratio)).bool()
        log_p = logits.log_softmax(1)
        actual = (weight * y).sum(0)
        predicted = (weight * log_p.exp()).sum(0)
        if self.form == "log_of_mean":
            return self._log_of_mean(log_p, weight, y, actual + predicted)
        return self._mean_of_logs(log_p, weight, y, actual + predicted)

    def _log_of_mean(self, log_p: Tensor, weight: Tensor, y: Tensor, total: Tensor) -> Tensor:
        true_positive = (weight * y * log_p.exp()).sum(0)
        return -((2 * true_positive / (total + self.eps)).mean() + self.eps).log()

    def _mean_of_logs(self, log_p: Tensor, weight: Tensor, y: Tensor, total: Tensor) -> Tensor:
        # Finite stand-ins for the log 0 of an absent class, whose term is dropped below: an infinity that a mask
        # hides in the value still makes the gradient NaN.
        limits = torch.finfo(log_p.dtype)
        log_true = (log_p + weight.log()).masked_fill(~y, limits.min)
        log_f1 = math.log(2) + log_true.logsumexp(0) - total.clamp_min(limits.tiny).log()
        return -log_f1.where(y.any(0), 0.0).mean()

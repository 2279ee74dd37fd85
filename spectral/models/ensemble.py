"""Several networks as one: their probabilities are averaged at one class prior.

B batch, C channels, L length, M members, K classes.

Source of the average: Caruana et al. 2004, "Ensemble selection from libraries of models" (ICML), section 2. Members
trained at different class priors are first brought to a common one by Bayes' rule (Saerens et al. 2002, eq. 2.4).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """The weighted mean of the members' class probabilities, as logits.

    Args:
        members: networks, each of its own channels.
        channels: of each member, the first of its channels and the one after its last.
        weights: of each member, positive; they are divided by their sum.
        log_prior_ratios: of each member [K], log of the common class prior over its own.
    """

    log_weights: Tensor  # [M]
    log_prior_ratios: Tensor  # [M, K]

    def __init__(
        self,
        members: Sequence[nn.Module],
        channels: Sequence[tuple[int, int]],
        weights: Sequence[float],
        log_prior_ratios: Sequence[Sequence[float]],
    ) -> None:
        super().__init__()
        self.members, self.channels = nn.ModuleList(members), list(channels)
        shares = torch.tensor([weight / sum(weights) for weight in weights])
        self.register_buffer("log_weights", shares.log(), persistent=False)
        self.register_buffer("log_prior_ratios", torch.tensor(log_prior_ratios), persistent=False)
        fields = [getattr(member, "receptive_field", "unknown") for member in members]
        widest = max((field for field in fields if isinstance(field, int)), default=None)
        self.min_pixels = max(getattr(member, "min_pixels", 1) for member in members)
        self.receptive_field = "unknown" if "unknown" in fields else None if None in fields else widest

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K], logarithms of probabilities, of flux [B, C, L] with mask [B, L] (True = padding) or None."""
        logs = []
        for i, (member, (first, end)) in enumerate(zip(self.members, self.channels, strict=True)):
            logits = member(flux[:, first:end], mask)  # float32 also under autocast, as those of any head
            logs.append((logits + self.log_prior_ratios[i]).log_softmax(dim=1) + self.log_weights[i])
        return torch.stack(logs).logsumexp(dim=0)

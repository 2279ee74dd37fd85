"""From the activations of a network to logits. B batch, F filters, L length, K classes."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from spectral.models.padding import average


class Head(nn.Module):
    """Make one vector of each spectrum, then logits: activations [B, F, 1, L] to [B, K].

    A spectrum of which pooling left no position has a vector of zeros.

    Args:
        kind: 'max', 'average', 'max_average' (both, side by side), 'attention' (mean weighted by a learned score of
            each position), 'flatten' (all positions; shorter spectra are padded with zeros).
        num_filters: F.
        num_classes: K.
        length: L at which 'flatten' is built, in positions after pooling.
        hidden_width: width of a dense layer with ReLU before the logits; 0 leaves it out.
    """

    def __init__(
        self, kind: str, num_filters: int, num_classes: int, *, length: int = 0, hidden_width: int = 0
    ) -> None:
        super().__init__()
        self.kind, self.length = kind, length
        num_features = num_filters * {"max_average": 2, "flatten": length}.get(kind, 1)
        self.score = nn.Linear(num_filters, 1, bias=False) if kind == "attention" else None
        self.hidden = nn.Linear(num_features, hidden_width) if hidden_width else None
        self.logits = nn.Linear(hidden_width or num_features, num_classes)

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        """The head computes in float32 even if the blocks use bfloat16, whose logits have two or three digits.

        Raises ValueError if 'flatten' is given a longer spectrum than it was built for.
        """
        with torch.autocast(x.device.type, enabled=False):
            features = self._features(x if x.dtype == torch.float64 else x.float(), padding)
            if self.hidden is not None:
                features = torch.relu(self.hidden(features))
            logits: Tensor = self.logits(features)
            return logits

    def _features(self, x: Tensor, padding: Tensor | None) -> Tensor:
        if self.kind == "max":
            return maximum(x, padding)
        if self.kind == "average":
            return average(x, padding)
        if self.kind == "max_average":
            return torch.cat([maximum(x, padding), average(x, padding)], dim=1)
        return self._attend(x, padding) if self.score is not None else self._flatten(x)

    def _attend(self, x: Tensor, padding: Tensor | None) -> Tensor:
        """Attention pooling (Ilse et al. 2018, eq. 7) with a linear score."""
        assert self.score is not None
        x = x.squeeze(2).transpose(1, 2)
        scores = self.score(x)
        if padding is not None:
            # The lowest number and not -inf: a spectrum that is all padding then averages zeros.
            scores = scores.masked_fill(padding.flatten(1).unsqueeze(2), torch.finfo(scores.dtype).min)
        pooled: Tensor = (scores.softmax(dim=1) * x).sum(dim=1)
        return pooled

    def _flatten(self, x: Tensor) -> Tensor:
        missing = self.length - x.shape[3]
        if missing < 0:
            raise ValueError(
                f"model.head=flatten was built for {self.length} positions after pooling and got {x.shape[3]}: "
                "it needs spectra no longer than those it was built for."
            )
        return functional.pad(x, (0, missing)).flatten(1)


def maximum(x: Tensor, padding: Tensor | None) -> Tensor:
    """Maximum over the positions inside each spectrum, [B, F, 1, L] to [B, F]; 0 if there are none."""
    if padding is None:
        return x.amax(dim=(2, 3))
    highest = x.masked_fill(padding, -torch.inf).amax(dim=(2, 3))
    return highest.masked_fill(padding.all(dim=3).flatten(1), 0)

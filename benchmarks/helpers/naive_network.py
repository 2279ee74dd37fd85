"""The reference network in plain PyTorch, for several benchmarks; it needs nothing but torch.

B batch, C channels, F filters, L length, K classes.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

NUM_CLASSES = 4  # of the reference
DILATIONS = (1, 2, 4)
SHORTEST = 8  # pooling stops where the next would leave fewer positions


class NaiveBlock(nn.Module):
    """One block of the plain network: [B, C, L] to [B, F, L]."""

    def __init__(self, num_in: int, num_filters: int, dilations: Sequence[int] = DILATIONS) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv1d(num_filters if i else num_in, 2 * num_filters, 3, padding=dilation, dilation=dilation)
            for i, dilation in enumerate(dilations)
        )
        self.shortcut = nn.Identity() if num_in == num_filters else nn.Conv1d(num_in, num_filters, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in self.convs:
            first, second = F.relu(conv(h)).chunk(2, dim=1)
            h = first + second
        return self.shortcut(x) + h


class NaiveReference(nn.Module):
    """The reference network: [B, 1, L] to logits [B, K].

    Args:
        width: filters of the first block.
        max_length: a longer spectrum is first averaged by twos, as often as needed; None: never.
    """

    def __init__(
        self,
        num_classes: int = NUM_CLASSES,
        width: int = 16,
        dilations: Sequence[int] = DILATIONS,
        dropout: float = 0.5,
        max_length: int | None = None,
    ) -> None:
        super().__init__()
        widths = [width * 2 ** (i // 2) for i in range(8)]
        self.blocks = nn.ModuleList(
            NaiveBlock(num_in, num_filters, dilations)
            for num_in, num_filters in zip([1, *widths], widths, strict=False)
        )
        self.dropout, self.max_length = dropout, max_length
        self.hidden, self.logits = nn.Linear(widths[-1], 128), nn.Linear(128, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        while self.max_length is not None and x.shape[2] > self.max_length:
            x = F.avg_pool1d(x, 2)
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i < len(self.blocks) - 1 and x.shape[2] >= 2 * SHORTEST:
                x = F.max_pool1d(x, 2)
        x = x * F.dropout(x.new_ones(x.shape[0], 1, x.shape[2]), self.dropout, self.training)
        return self.logits(F.relu(self.hidden(x.amax(dim=2))))


def glorot_(network: nn.Module) -> None:
    """Initial weights as the product draws them: Glorot uniform, zero bias."""
    for module in network.modules():
        if isinstance(module, (nn.Conv1d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)

"""The reference network in plain PyTorch, with nothing tuned: what the benchmarks compare with. B batch, L length."""

from torch import Tensor, nn
from torch.nn import functional as F

NUM_CLASSES = 4


class NaiveBlock(nn.Module):
    """One block of the plain network: [B, C, L] to [B, F, L]."""

    def __init__(self, num_in: int, num_filters: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv1d(num_filters if i else num_in, 2 * num_filters, 3, padding=dilation, dilation=dilation)
            for i, dilation in enumerate((1, 2, 4))
        )
        self.shortcut = nn.Identity() if num_in == num_filters else nn.Conv1d(num_in, num_filters, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in self.convs:
            first, second = F.relu(conv(h)).chunk(2, dim=1)
            h = first + second
        return self.shortcut(x) + h


class NaiveReference(nn.Module):
    """The reference network in plain PyTorch: [B, 1, L] to logits [B, 4]."""

    def __init__(self) -> None:
        super().__init__()
        widths = [16, 16, 32, 32, 64, 64, 128, 128]
        self.blocks = nn.ModuleList(map(NaiveBlock, [1, *widths], widths))
        self.hidden, self.logits = nn.Linear(128, 128), nn.Linear(128, NUM_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i < 7:
                x = F.max_pool1d(x, 2)
        if self.training:
            x = x * F.dropout(x.new_ones(x.shape[0], 1, x.shape[2]), 0.5)
        return self.logits(F.relu(self.hidden(x.amax(dim=2))))

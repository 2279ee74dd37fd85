"""Normalisation whose statistics see the spectrum alone, never its padding. B batch, C channels, L length."""

import math

import torch
from torch import Tensor, nn

from spectral.models.padding import num_valid, zero_padding
from spectral.models.receptive_field import POINT, WHOLE


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation (Ioffe and Szegedy 2015) of [B, C, 1, L]; each valid position counts once.

    Its statistics over a batch, in training, are no part of its reach.
    """

    reach = POINT

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        if padding is None or not self.training:
            return super().forward(x)
        wide = _widen(x)
        count = (~padding).sum().clamp(min=1)
        mean = zero_padding(wide, padding).sum(dim=(0, 2, 3)) / count
        centred = wide - mean[:, None, None]
        variance = zero_padding(centred, padding).square().sum(dim=(0, 2, 3)) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1).clamp(min=1))
        scaled = centred * torch.rsqrt(variance + self.eps)[:, None, None]
        return _affine(scaled, self.weight, self.bias).to(x.dtype)

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


class GroupNorm(nn.GroupNorm):
    """Group normalisation (Wu and He 2018) of [B, C, 1, L], over the valid positions of each spectrum."""

    reach = WHOLE

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        if padding is None:
            return super().forward(x)
        wide, count = _widen(x), num_valid(x, padding)
        centred = wide - self._group_mean(zero_padding(wide, padding).sum(dim=(2, 3)) / count)
        variance = self._group_mean(zero_padding(centred, padding).square().sum(dim=(2, 3)) / count)
        return _affine(centred * torch.rsqrt(variance + self.eps), self.weight, self.bias).to(x.dtype)

    def _group_mean(self, x: Tensor) -> Tensor:
        """Mean over the channels of a group, [B, C] to [B, C, 1, 1]."""
        grouped = x.view(x.shape[0], self.num_groups, -1)
        return grouped.mean(dim=2, keepdim=True).expand_as(grouped).flatten(1)[:, :, None, None]


class LayerNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position of [B, C, 1, L], as in ConvNeXt (Liu et al. 2022)."""

    reach = POINT

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class NoNorm(nn.Module):
    """Leave activations as they are."""

    reach = POINT

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        return x


def make_norm(kind: str, num_channels: int) -> nn.Module:
    """A module of (x [B, C, 1, L], padding): 'none', 'batch', 'layer' or 'group' (8 groups, or as many as divide C)."""
    if kind == "batch":
        return BatchNorm(num_channels)
    if kind == "layer":
        return LayerNorm(num_channels)
    if kind == "group":
        return GroupNorm(math.gcd(8, num_channels), num_channels)
    return NoNorm()


def _widen(x: Tensor) -> Tensor:
    """Statistics are summed in at least float32."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return x * weight[:, None, None] + bias[:, None, None]

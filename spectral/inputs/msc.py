"""Multiplicative scatter correction of laboratory spectra. S channels, L length, n spectra."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectral.inputs.on_device import kept_on
from spectral.inputs.transforms import Transform

ROUNDING = 8 * torch.finfo(torch.float32).eps  # a slope below it is none


class MSC(Transform):
    """(flux - a) / b, with the line a + b x reference fitted to each spectrum's good pixels by least squares.

    Geladi, MacDougall & Martens 1985, Applied Spectroscopy 39, 491. The reference is the mean of the training spectra,
    brought to mean 0 and standard deviation 1, so that the units of flux do not matter. A spectrum without any slope
    against the reference becomes zeros.

    Args:
        reference: [S, L].
    """

    learns = ("reference",)
    reference: Tensor

    def __init__(self, reference: Sequence[Sequence[float]], clip: float | None = None) -> None:
        super().__init__(clip)
        self.register_buffer("reference", torch.tensor(reference, dtype=torch.float32), persistent=False)

    @classmethod
    def learn(cls, spectra: Iterable[tuple[Any, Any]]) -> dict[str, list[list[float]]]:
        """The mean of good pixels, brought to mean 0 and deviation 1; a pixel that no spectrum has is interpolated."""
        total: Any = 0.0
        count: Any = 0.0
        for flux, mask in spectra:
            good = np.ones(flux.shape, bool) if mask is None else np.broadcast_to(~mask[:, None], flux.shape)
            total = total + np.where(good, flux, 0).sum(axis=0, dtype=np.float64)
            count = count + good.sum(axis=0)
        return {"reference": [_reference(*channel) for channel in zip(total, count, strict=True)]}

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        good = torch.ones_like(flux) if bad is None else (~bad).to(flux.dtype).expand_as(flux)
        peak = flux.abs().amax(-1, keepdim=True)
        flux = flux / peak.where(peak > 0, 1)
        reference, num = kept_on(self, "reference", flux.device), good.sum(-1, keepdim=True).clamp(min=1)
        mean_flux = (flux * good).sum(-1, keepdim=True) / num
        mean = (reference * good).sum(-1, keepdim=True) / num
        flux, centred = (flux - mean_flux) * good, (reference - mean) * good
        size = centred.square().sum(-1, keepdim=True)
        slope = (flux * centred).sum(-1, keepdim=True) / size.where(size > 0, 1)
        has_slope = slope.abs() * (size / num).sqrt() > ROUNDING
        return torch.where(has_slope, flux / slope.where(has_slope, 1) + mean, 0) * good


def _reference(total: NDArray[np.float64], count: NDArray[np.int64]) -> list[float]:
    """One channel's reference [L] of the sums of its good pixels and their numbers."""
    pixels, known = np.arange(len(total)), np.flatnonzero(count)
    if not len(known):
        return [0.0] * len(total)
    mean = np.interp(pixels, known, total[known] / count[known])
    deviation = mean.std()
    values: list[float] = ((mean - mean.mean()) / (deviation if deviation > 0 else 1)).astype(np.float32).tolist()
    return values

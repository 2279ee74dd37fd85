"""Smoothing and derivatives by Savitzky and Golay, as a module and as a transform. B batch, S channels, L length."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d

from spectral.inputs.bad_pixels import fill_every_pixel
from spectral.inputs.on_device import kept_on
from spectral.inputs.transforms import Standardize, Transform


class PolynomialFit(nn.Module):
    """Fits a polynomial around each pixel.

    Savitzky & Golay 1964, Analytical Chemistry 36, 1627. Beyond the ends of a spectrum its last pixels are repeated.

    Args:
        window_pixels: odd, of each fit.
        order: of the polynomial, below the window.
        derivative: 0 smooths, 1 and 2 give the slope and the curvature per pixel.
    """

    kernel: Tensor

    def __init__(self, window_pixels: int, order: int, derivative: int) -> None:
        super().__init__()
        from scipy.signal import savgol_coeffs  # takes half a second, which runs without this part need not wait

        kernel = torch.from_numpy(savgol_coeffs(window_pixels, order, deriv=derivative, use="dot")).float()
        self.register_buffer("kernel", kernel[None, None], persistent=False)
        self.half_window = window_pixels // 2

    def forward(self, flux: Tensor, inside: Tensor) -> Tensor:
        """The fit [B, S, L], 0 outside, of flux [B, S, L] and where the spectrum is [B, L]."""
        length = flux.shape[-1]
        position = torch.arange(length, device=flux.device)
        first = position.where(inside, length).amin(-1, keepdim=True).clamp(max=length - 1)
        last = position.where(inside, -1).amax(-1, keepdim=True).clamp(min=0)
        wanted = torch.arange(-self.half_window, length + self.half_window, device=flux.device)
        index = torch.minimum(torch.maximum(wanted, first), last)[:, None].expand(-1, flux.shape[1], -1)
        fitted = conv1d(flux.gather(2, index).flatten(0, 1)[:, None], kept_on(self, "kernel", flux.device).to(flux))
        return fitted.view_as(flux) * inside[:, None]


class SavitzkyGolayScale(Transform):
    """The flux smoothed, or a derivative of it, then standardized; bad pixels are first put between their neighbours.

    Args:
        window_pixels, order, derivative: as of PolynomialFit.
    """

    def __init__(self, window_pixels: int = 11, order: int = 2, derivative: int = 1, clip: float | None = None) -> None:
        super().__init__(clip)
        self.fit, self.standardize = PolynomialFit(window_pixels, order, derivative), Standardize()

    def scaled(self, flux: Tensor, bad: Tensor | None) -> Tensor:
        if bad is None:
            inside = torch.ones_like(flux[:, 0], dtype=torch.bool)
        else:
            good = ~bad[:, 0]
            position = torch.arange(flux.shape[-1], device=flux.device)
            first = position.where(good, flux.shape[-1]).amin(-1, keepdim=True)
            inside = (position >= first) & (position <= position.where(good, -1).amax(-1, keepdim=True))
            flux = fill_every_pixel(flux, inside & ~good)
        fitted = self.fit(flux, inside)
        return self.standardize.scaled(fitted if bad is None else fitted.masked_fill(bad, 0), bad)

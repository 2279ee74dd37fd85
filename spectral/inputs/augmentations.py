"""Changes of training spectra that leave their class as it is: shift, crop, noise, gain, calibration, redshift.

B batch, S survey channels, L length. Random numbers are torch's, which is seeded again in each epoch: a resumed run
sees the same spectra.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectral.configs.class_lists import class_of
from spectral.errors import UserError
from spectral.inputs.on_device import kept_on

Spectra = tuple[Tensor, Tensor | None, Tensor | None]
MOST_UNEVEN = 1e-3  # of a pixel, up to which wavelengths count as evenly spaced
NORMAL_MAD = 0.6745  # median absolute value of a standard normal number


class Augmentation(nn.Module):
    """Changes a batch before anything else is done to it, in training only.

    `needs_ivar`: whether the survey must have inverse variances.
    """

    needs_ivar = False

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        """Flux [B, S, L], inverse variance [B, S, L] and mask [B, L], changed; the shapes stay.

        Args:
            target: class indices [B]; None where nobody knows them.
        """
        raise NotImplementedError


class Shift(Augmentation):
    """Move each spectrum by a random whole number of pixels; its last pixel is repeated at the end that opens.

    Args:
        length: L of the survey.

    Raises:
        UserError: a spectrum could be moved out of the survey's pixels.
    """

    def __init__(self, max_pixels: int = 10, length: int | None = None) -> None:
        super().__init__()
        if length is not None and max_pixels >= length:
            raise UserError(
                f"inputs.augmentations: shift has max_pixels={max_pixels}, and the spectra have {length} pixels: give "
                "a smaller number."
            )
        self.max_pixels = max_pixels

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        num, length = flux.shape[0], flux.shape[2]
        by = torch.randint(-self.max_pixels, self.max_pixels + 1, (num, 1), device=flux.device)
        index = (torch.arange(length, device=flux.device) - by).clamp(0, length - 1)
        wide = index[:, None].expand_as(flux)
        return (
            flux.gather(2, wide),
            None if ivar is None else ivar.gather(2, wide),
            None if mask is None else mask.gather(1, index),
        )


class Crop(Augmentation):
    """Keep a random part of each spectrum and mask the rest, which the network then does not see.

    A spectrum lies between its first and its last good pixel; that of a short one is cropped alone.

    Args:
        min_share: of its pixels that are kept at least; each spectrum's share is drawn between it and 1.
    """

    def __init__(self, min_share: float = 0.8) -> None:
        super().__init__()
        self.min_share = min_share

    def min_kept(self, length: int) -> int:
        """The fewest pixels that it may leave of a spectrum of some length."""
        return max(1, round(self.min_share * length))

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        num, length = flux.shape[0], flux.shape[2]
        share, place = torch.rand(2, num, 1, device=flux.device)
        pixel = torch.arange(length, device=flux.device)
        start, size = pixel.new_zeros(num, 1), pixel.new_full((num, 1), length)
        if mask is not None:
            start = pixel.masked_fill(mask, length - 1).amin(dim=1, keepdim=True)
            size = pixel.masked_fill(mask, 0).amax(dim=1, keepdim=True) + 1 - start
        kept = ((self.min_share + (1 - self.min_share) * share) * size).round().clamp(min=1)
        first = start + (place * (size - kept + 1)).floor()
        outside = (pixel < first) | (pixel >= first + kept)
        return flux, ivar, outside if mask is None else mask | outside


class Noise(Augmentation):
    """Add normal noise: to each spectrum as much, in units of its own error, as a number drawn up to `max_sigma`.

    Args:
        error: "ivar": of each pixel, from the survey's inverse variances; "flux": of each spectrum, from the median
            absolute change of its flux from pixel to pixel.
    """

    def __init__(self, max_sigma: float = 0.5, error: str = "flux") -> None:
        super().__init__()
        self.max_sigma, self.error = max_sigma, error
        self.needs_ivar = error == "ivar"

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        flux = flux.float()
        sigma = self._sigma(flux, ivar, mask) * self.max_sigma * torch.rand(len(flux), 1, 1, device=flux.device)
        noisy = flux + sigma * torch.randn_like(flux)
        return noisy, None if ivar is None else ivar / (1 + ivar.clamp(min=0) * sigma**2), mask

    def _sigma(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None) -> Tensor:
        """The error of the flux, [B, S, L] or [B, S, 1]."""
        if self.error == "ivar":
            assert ivar is not None
            return ivar.where(ivar > 0, torch.inf).rsqrt()
        change = (flux[..., 1:] - flux[..., :-1]).abs()
        if mask is not None:
            change = change.masked_fill((mask[:, 1:] | mask[:, :-1])[:, None], torch.nan)
        return change.nanmedian(-1, keepdim=True).values.nan_to_num() / (NORMAL_MAD * 2**0.5)


class Gain(Augmentation):
    """Multiply each spectrum by a number drawn from 1 - `max_change` to 1 + `max_change`."""

    def __init__(self, max_change: float = 0.1) -> None:
        super().__init__()
        self.max_change = max_change

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        factor = 1 + self.max_change * (2 * torch.rand(len(flux), 1, 1, device=flux.device) - 1)
        return flux * factor, None if ivar is None else ivar / factor**2, mask


class Calibration(Augmentation):
    """Multiply each spectrum by a smooth random curve, as an error of flux calibration or dust does.

    The curve is the exponential of a sum of Chebyshev polynomials from degree 1 to `degree`, each with a normal factor.

    Args:
        sigma: standard deviation of the factors.
    """

    def __init__(self, sigma: float = 0.05, degree: int = 4) -> None:
        super().__init__()
        self.sigma, self.degree = sigma, degree

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        angle = torch.linspace(-1, 1, flux.shape[2], device=flux.device).acos()
        degrees = torch.arange(1, self.degree + 1, device=flux.device)
        curves = (degrees[:, None] * angle).cos()  # the polynomials [degree, L]
        factors = self.sigma * torch.randn(len(flux), 1, self.degree, device=flux.device)
        curve = (factors @ curves).exp()
        return flux * curve, None if ivar is None else ivar / curve**2, mask


class Redshift(Augmentation):
    """Stretch the wavelengths of each spectrum by a factor of 1 + z, with z drawn up to `max_redshift` either way.

    Flux at the wavelengths of the survey is interpolated linearly; beyond the ends the last pixel is repeated.

    Args:
        classes: names of the classes it acts on, in any case of letters; None: all.
        class_names: of the survey [K].
        wave_angstrom: [L] of the survey's pixels, rising or falling.

    Raises:
        UserError: the survey has no wavelengths, they neither rise nor fall, or it has no such class.
    """

    wave: Tensor
    acts: Tensor

    def __init__(
        self,
        max_redshift: float = 0.05,
        classes: Sequence[str] | None = None,
        class_names: Sequence[str] = (),
        wave_angstrom: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__()
        if wave_angstrom is None:
            raise UserError("inputs.augmentations has redshift and the data has no wavelengths: leave it out.")
        named = {name: class_of(name, class_names) for name in classes or ()}
        if unknown := [name for name, known in named.items() if known is None]:
            raise UserError(
                f"inputs.augmentations: redshift acts on the class {unknown[0]}, and the data has the classes "
                f"{', '.join(class_names)}."
            )
        steps = np.diff(wave_angstrom)
        self.falls = bool((steps < 0).all())
        if not self.falls and not (steps > 0).all():
            raise UserError(
                "inputs.augmentations has redshift and the wavelengths of the data neither rise nor fall: leave it out."
            )
        self.max_redshift = max_redshift
        rising = np.array(wave_angstrom[::-1] if self.falls else wave_angstrom)
        even = np.linspace(rising[0], rising[-1], len(rising))
        self.is_even = bool(np.abs(rising - even).max() < MOST_UNEVEN * (even[1] - even[0]))
        self.register_buffer("wave", torch.from_numpy(rising), persistent=False)
        chosen = torch.tensor([classes is None or name in named.values() for name in class_names])
        self.register_buffer("acts", chosen, persistent=False)

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Spectra:
        z = self.max_redshift * (2 * torch.rand(len(flux), 1, device=flux.device) - 1)
        # In float32 a place is wrong by some 1e-4 of a pixel; Apple's GPUs have nothing more exact.
        left, weight = self._places(z if z.device.type == "mps" else z.double())
        if target is not None:
            left = self._with_unmoved(left, weight, kept_on(self, "acts", flux.device)[target])
        blend = weight[:, None].to(torch.float32)
        wide, bad = left[:, None].expand_as(flux), mask
        clean = flux.float() if mask is None else flux.float().masked_fill(mask[:, None], 0)
        if mask is not None:
            bad = (mask.gather(1, left) & (weight < 1)) | (mask.gather(1, left + 1) & (weight > 0))
        stretched = torch.lerp(clean.gather(2, wide), clean.gather(2, wide + 1), blend)
        # The error of the nearer pixel: that of an interpolated flux is smaller, and its neighbours' depend on it.
        nearer = (left + (weight > 0.5))[:, None].expand_as(flux)
        return stretched, None if ivar is None else ivar.gather(2, nearer), bad

    def _with_unmoved(self, left: Tensor, weight: Tensor, acts: Tensor) -> Tensor:
        """The left pixels [B, L] with those of spectra that keep their wavelengths: each pixel itself.

        They have the weights of a stretched one all the same, and its repeated end pixels: were they left as they are,
        their noise, which interpolation makes smoother, would tell the classes apart in training.
        """
        last = left.shape[1] - 2
        is_end = ((left == 0) & (weight == 0)) | ((left == last) & (weight == 1))
        return left.where(acts[:, None] | is_end, torch.arange(last + 2, device=left.device).clamp(max=last))

    def _places(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """For each pixel the one before the wavelength that moves onto it, and the share of the next: [B, L] twice."""
        wave = kept_on(self, "wave", z.device, z.dtype).to(z.dtype)
        own = wave.flip(0) if self.falls else wave
        last = len(wave) - 1
        if self.is_even:  # a division finds the pixel in a quarter of the time of a search
            place = ((own / (1 + z) - wave[0]) * (last / (wave[-1] - wave[0]))).clamp_(0, last)
            left = place.floor().clamp_(max=last - 1)
            left, weight = left.long(), place.sub_(left)
        else:
            rest = (own / (1 + z)).clamp_(wave[0], wave[-1])
            left = (torch.searchsorted(wave, rest, right=True) - 1).clamp_(0, last - 1)
            weight = (rest - wave[left]) / (wave[left + 1] - wave[left])
        return (len(wave) - 2 - left, 1 - weight) if self.falls else (left, weight)

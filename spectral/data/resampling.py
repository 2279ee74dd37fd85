"""Spectra brought to one wavelength grid, their flux conserved. L pixels of a spectrum, M of the grid, C channels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectral.data.ivar import float32_ivar

SAME_PIXEL = 0.01  # pixels by which the centres of two grids may differ where one is a part of the other
EDGE = 1e-6  # of a pixel that a spectrum may fall short of, for rounding
GAP = 3.5  # times the steps on either side; no whole number, so that rounding decides nothing
IN_GAP = -1  # in place of a pixel's number

Floats = NDArray[np.floating]
_Places = slice | NDArray[np.int64]  # pixels of the grid


@dataclass(frozen=True)
class Resampled:
    """A spectrum on the grid. Pixels that it does not cover, or that a bad one has a share in, are masked."""

    flux: NDArray[np.float32]  # [C, M]; NaN where a pixel that is not masked was not finite
    ivar: NDArray[np.float32] | None  # [C, M]
    mask: NDArray[np.bool_]  # [M]

    def reversed(self) -> "Resampled":
        """The same spectrum from its last pixel to its first."""
        ivar = None if self.ivar is None else self.ivar[:, ::-1]
        return Resampled(self.flux[:, ::-1], ivar, self.mask[::-1])


@dataclass(frozen=True)
class _Overlaps:
    """Each piece that one pixel of the spectrum and one of the grid have in common."""

    source: NDArray[np.int64]  # pixel of the spectrum, of each piece
    target: NDArray[np.int64]  # pixel of the grid, of each piece
    width: NDArray[np.float64]  # Angstrom, of each piece
    covered: NDArray[np.bool_]  # grid pixels that lie within the spectrum, and in no gap of it, as a whole [M]


def is_monotonic(wave: Floats) -> bool:
    """Whether wavelengths [L] all rise or all fall."""
    steps = np.diff(wave)
    return bool((steps > 0).all() or (steps < 0).all())


class Resampler:
    """Resamples spectra to one grid; what depends on wavelengths alone is kept for the next with the same ones.

    The flux of a grid pixel is the mean flux density of the pixels below it, each weighted by the width of its share,
    and its variance follows from theirs (Carnall 2017, arXiv:1705.05165, equations 3 and 4). Pixels end half way
    between their centres; next to a gap in the wavelengths they end half a step out, and the gap is masked. If the
    grid has the spectrum's own pixels they are copied.

    Args:
        grid_angstrom: wavelengths [M], rising or falling.

    Raises:
        ValueError: they do neither.
    """

    def __init__(self, grid_angstrom: Floats) -> None:
        grid = np.asarray(grid_angstrom, np.float64)
        self._falls = bool(grid[0] > grid[-1])
        self.grid = grid[::-1] if self._falls else grid
        if not is_monotonic(grid):
            raise ValueError("the wavelengths of the grid neither rise nor fall")
        self._edges = pixel_edges(self.grid)
        self._wave: NDArray[np.float64] | None = None
        self._shared: tuple[_Places, slice] | _Overlaps | None = None

    def __call__(
        self,
        wave_angstrom: Floats,
        flux: Floats,
        ivar: Floats | None = None,
        mask: NDArray[np.bool_] | None = None,
    ) -> Resampled:
        """Resample one spectrum.

        Args:
            wave_angstrom: [L], rising or falling.
            flux: [C, L]; any value where masked.
            ivar: inverse variance [C, L].
            mask: [L], True = bad pixel.

        Raises:
            ValueError: the wavelengths are not [L] numbers above 0 that rise or fall, or none is within the grid. Its
                text is a reason for leaving the spectrum out.
        """
        wave = np.asarray(wave_angstrom, np.float64)
        if wave.shape != flux.shape[-1:]:
            raise ValueError(f"wavelengths of wrong shape: {list(wave.shape)}, the flux has {flux.shape[-1]} pixels")
        for name, array, shape in (("ivar", ivar, flux.shape), ("mask", mask, wave.shape)):
            if array is not None and array.shape != shape:
                raise ValueError(f"{name} of wrong shape: {list(array.shape)}, the flux has {list(flux.shape)}")
        bad = np.zeros(wave.shape, bool) if mask is None else np.asarray(mask, bool)
        if len(wave) > 1 and wave[0] > wave[-1]:
            wave, flux, bad = wave[::-1], flux[..., ::-1], bad[::-1]
            ivar = None if ivar is None else ivar[..., ::-1]
        if self._wave is None or not np.array_equal(wave, self._wave):
            self._shared = self._compare(wave)
            self._wave = wave
        if isinstance(self._shared, tuple):
            result = self._copied(flux, ivar, bad, *self._shared)
        else:
            assert self._shared is not None
            result = self._averaged(flux, ivar, bad, self._shared)
        return result.reversed() if self._falls else result

    def _compare(self, wave: NDArray[np.float64]) -> tuple[_Places, slice] | _Overlaps:
        if len(wave) < 2 or not (np.isfinite(wave).all() and wave[0] > 0 and (np.diff(wave) > 0).all()):
            raise ValueError("wavelengths that neither rise nor fall")
        if wave[-1] < self.grid[0] or wave[0] > self.grid[-1]:
            raise ValueError(f"outside the grid: {wave[0]:.1f} to {wave[-1]:.1f} Angstrom")
        return self._same_pixels(wave) or self._overlaps(wave)

    def _same_pixels(self, wave: NDArray[np.float64]) -> tuple[_Places, slice] | None:
        """The pixels of grid and spectrum that are the same; None if they are not all the same where both are."""
        inside = np.flatnonzero((wave >= self._edges[0]) & (wave <= self._edges[-1]))
        if not len(inside):
            return None
        # Beyond the outermost centres np.interp would stand still, so the first and last steps are continued.
        grid = np.concatenate([[2 * self.grid[0] - self.grid[1]], self.grid, [2 * self.grid[-1] - self.grid[-2]]])
        position = np.interp(wave[inside], grid, np.arange(-1, len(self.grid) + 1))
        pixel = np.rint(position).astype(np.int64)
        gaps = are_gaps(wave)[inside[0] : inside[-1]]
        if np.abs(position - pixel).max() > SAME_PIXEL or (np.diff(pixel)[~gaps] != 1).any():
            return None
        if pixel[0] < 0 or pixel[-1] >= len(self.grid):
            return None
        there = pixel if gaps.any() else slice(pixel[0], pixel[-1] + 1)
        return there, slice(inside[0], inside[-1] + 1)

    def _overlaps(self, wave: NDArray[np.float64]) -> _Overlaps:
        edges, pixels = pixels_and_gaps(wave)
        low, high = max(edges[0], self._edges[0]), min(edges[-1], self._edges[-1])
        cuts = np.union1d(edges, self._edges)
        cuts = cuts[(cuts >= low) & (cuts <= high)]
        middle, width = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
        source = pixels[np.searchsorted(edges, middle, side="right") - 1]
        target = np.searchsorted(self._edges, middle, side="right") - 1
        short = EDGE * np.diff(self._edges)
        covered = (self._edges[:-1] >= edges[0] - short) & (self._edges[1:] <= edges[-1] + short)
        there = source != IN_GAP
        covered &= np.bincount(target, width * ~there, len(self.grid)) <= short
        return _Overlaps(source[there], target[there], width[there], covered)

    def _copied(
        self, flux: Floats, ivar: Floats | None, bad: NDArray[np.bool_], there: _Places, here: slice
    ) -> Resampled:
        num = len(self.grid)
        result = Resampled(
            flux=np.zeros((len(flux), num), np.float32),
            ivar=None if ivar is None else np.zeros((len(flux), num), np.float32),
            mask=np.ones(num, bool),
        )
        result.flux[:, there] = flux[:, here]
        result.mask[there] = bad[here]
        if ivar is not None and result.ivar is not None:
            result.ivar[:, there] = ivar[:, here]
        return result

    def _averaged(self, flux: Floats, ivar: Floats | None, bad: NDArray[np.bool_], shared: _Overlaps) -> Resampled:
        num = len(self.grid)
        total = np.bincount(shared.target, shared.width, num)
        total[total == 0] = 1  # not covered, hence masked
        lost = ~np.isfinite(flux)

        def summed(values: Floats | NDArray[np.bool_], weights: Floats) -> NDArray[np.float64]:
            """Over the pieces of each grid pixel, [C, M] of [C, L]."""
            return np.stack([np.bincount(shared.target, weights * row[shared.source], num) for row in values])

        mean = summed(np.where(lost | bad, 0, flux), shared.width) / total
        mean[summed(lost & ~bad, shared.width) > 0] = np.nan
        variance_ivar = None
        if ivar is not None:
            ivar = ivar.astype(np.float64)  # float32 has no inverse of its largest numbers
            known = np.isfinite(ivar) & (ivar > 0)
            variance = np.where(known, 1 / np.where(known, ivar, 1), 0)
            summed_variance = summed(variance, shared.width**2) / total**2
            unknown = (summed(~known, shared.width) > 0) | (summed_variance == 0)
            variance_ivar = float32_ivar(np.where(unknown, 0, 1 / np.where(unknown, 1, summed_variance)))
        touched = np.bincount(shared.target, shared.width * bad[shared.source], num) > 0
        return Resampled(mean.astype(np.float32), variance_ivar, touched | ~shared.covered)


def pixel_edges(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """The edges [L + 1] of pixels with rising centres [L]: half way between them, at the ends as far out as in."""
    middle = (wave[1:] + wave[:-1]) / 2
    return np.concatenate([[2 * wave[0] - middle[0]], middle, [2 * wave[-1] - middle[-1]]])


def pixels_and_gaps(wave: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Edges [E + 1] that pixels with rising centres [L] have in common or with a gap, and what is between them [E].

    That is the number of a pixel, or IN_GAP. A pixel next to a gap ends half of its own step beyond its centre.
    """
    edges, gaps = pixel_edges(wave), np.flatnonzero(are_gaps(wave))
    if not len(gaps):
        return edges, np.arange(len(wave))
    step = np.diff(wave)
    step[gaps] = np.inf
    padded = np.pad(step, 2, constant_values=np.inf)  # step i is at i + 2
    next_to, beyond = (np.minimum(padded[2 - k : len(wave) + 2 - k], padded[1 + k : len(wave) + 1 + k]) for k in (1, 2))
    half = np.where(np.isfinite(next_to), next_to, beyond) / 2  # a single pixel between two gaps has no step of its own
    edges[gaps + 1] = wave[gaps] + half[gaps]
    edges = np.insert(edges, gaps + 2, wave[gaps + 1] - half[gaps + 1])
    return edges, np.insert(np.arange(len(wave)), gaps + 1, IN_GAP)


def are_gaps(wave: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether something is left out at each step [L - 1] of rising wavelengths: it is GAP times those on either side.

    Around a single pixel between two gaps, those are the steps beyond them. Where arms of other steps meet, the step
    between them is not much larger than that of the coarser arm, and no gap. Nor is the first step or the last.
    """
    step = np.diff(wave)
    padded = np.pad(step, 1, constant_values=np.inf)
    before, after = padded[:-2], padded[2:]
    gaps = step > GAP * np.maximum(before, after)
    two = np.minimum(step[:-1], step[1:]) > GAP * np.maximum(before[:-1], after[1:])
    gaps[:-1] |= two
    gaps[1:] |= two
    return gaps

"""Spectra as text that a page can hold: thinned, in whole numbers of few bytes, in base64.

C channels, L pixels, P points that are left of them.
"""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 4000
ROBUST_SHARE = 0.99  # of the points, which set the range of signed values
MIDDLE = 127  # the code of zero in a byte, 255 of which means nan
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Thinned:
    """A spectrum as the page shows it.

    Args:
        flux: [C, P], means over the good pixels of each block.
        sigma: [C, P], their standard deviations; nan where unknown; None without inverse variances.
        masked: [P], blocks without a good pixel; their flux is the mean of the bad ones.
    """

    flux: Floats
    sigma: Floats | None
    masked: NDArray[np.bool_]


def block_size(length: int) -> int:
    """Pixels that make a point: 1 up to 4,000 pixels."""
    return -(-length // MAX_POINTS)


def thin(flux: Floats, ivar: Floats | None, mask: NDArray[np.bool_], block: int) -> Thinned:
    """A spectrum in few enough points to draw: means over blocks of good pixels.

    Args:
        flux, ivar: [C, L]; an inverse variance of 0 means a bad pixel.
        mask: [L], True: bad.
        block: pixels a point.
    """
    flux = np.asarray(flux, np.float64)
    bad = np.asarray(mask | ~np.isfinite(flux).all(axis=0))
    if ivar is not None:
        bad = bad | ~(ivar > 0).any(axis=0)
    flux = np.nan_to_num(flux, posinf=0, neginf=0)
    good = _blocks(~bad, block, False)
    masked = np.asarray(~good.any(axis=-1))
    weight = np.where(masked[:, None], True, good)
    count = weight.sum(axis=-1)
    means = (_blocks(flux, block, 0.0) * weight).sum(axis=-1) / count
    return Thinned(means, None if ivar is None else _sigma(np.asarray(ivar, np.float64), good, block), masked)


def _sigma(ivar: Floats, good: NDArray[np.bool_], block: int) -> Floats:
    """Standard deviation [C, P] of the mean of good pixels [P, block]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(good, 1 / _blocks(ivar, block, 0.0), 0).sum(axis=-1)
        sigma = np.sqrt(variance) / good.sum(axis=-1)
    return np.where(np.isfinite(sigma) & (sigma > 0), sigma, np.nan)


def block_means(values: Floats, block: int) -> Floats:
    """[..., L] to [..., P]."""
    return np.asarray(np.nanmean(_blocks(np.asarray(values, np.float64), block, np.nan), axis=-1))


def _blocks(values: NDArray[Any], block: int, fill: Any) -> NDArray[Any]:
    """[..., L] to [..., P, block]; the last block is filled up."""
    short = -values.shape[-1] % block
    filled = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, short)], constant_values=fill)
    return filled.reshape(*values.shape[:-1], -1, block)


def encoded(values: Floats, within: NDArray[np.bool_] | None = None, num_bytes: int = 2) -> dict[str, Any]:
    """Values [P] as {low, step, codes}: value = low + step * code, and the largest code means nan.

    Args:
        within: [P], the points that set the range; values outside it are clipped. All by default.
        num_bytes: 1 or 2 a value.
    """
    finite = np.isfinite(values)
    inside = values[finite if within is None else finite & within]
    low, high = (float(inside.min()), float(inside.max())) if inside.size else (0.0, 0.0)
    missing = 2 ** (8 * num_bytes) - 1
    step = (high - low) / (missing - 1) or 1.0
    scaled = np.clip((np.where(finite, values, low) - low) / step, 0, missing - 1)
    codes = np.where(finite, np.rint(scaled), missing).astype(f"<u{num_bytes}")
    return {"low": low, "step": step, "codes": base64.b64encode(codes.tobytes()).decode()}


def encoded_about_zero(values: Floats) -> dict[str, Any]:
    """Signed values [P] in one byte each, as `encoded` gives them: zero is exact, and in the middle.

    The range is symmetric and set by all but the largest hundredth, which is clipped: one extreme pixel neither moves
    zero nor takes the range from the others.
    """
    sizes = np.abs(values[np.isfinite(values)])
    limit = float(np.quantile(sizes, ROBUST_SHARE) or sizes.max()) if sizes.size else 0.0
    step = limit / MIDDLE or 1.0
    scaled = np.rint(np.clip(np.where(np.isfinite(values), values, 0) / step, -MIDDLE, MIDDLE)) + MIDDLE
    codes = np.where(np.isfinite(values), scaled, 2 * MIDDLE + 1).astype("<u1")
    return {"low": -MIDDLE * step, "step": step, "codes": base64.b64encode(codes.tobytes()).decode()}


def runs(flags: NDArray[np.bool_]) -> list[list[int]]:
    """[start, end) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [[int(start), int(end)] for start, end in edges.reshape(-1, 2)]

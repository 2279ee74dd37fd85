"""What a spectrum must be to enter a pack: its shape, and numbers that the packed type can hold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.contract import Chunk

HALF_MAX, HALF_NORMAL = float(np.finfo(np.float16).max), float(np.finfo(np.float16).smallest_normal)


@dataclass(frozen=True)
class Rules:
    """Options of `DataConfig` that decide over a row, and the shape that most rows have."""

    dtype: str
    nan: str
    ragged: str
    num_channels: int
    length: int  # the grid's where there is one, else that of most rows
    grid_length: int | None  # of the source's wavelength grid, which no row may exceed
    ivar_masks: bool = True


@dataclass
class Row:
    """A spectrum fit to be packed. C channels, L_i pixels."""

    flux: NDArray[Any]  # [C, L_i] in the packed type, finite
    ivar: NDArray[np.float32] | None  # [C, L_i], finite
    mask: NDArray[np.bool_]  # [L_i]
    num_no_ivar: int = 0  # pixels that are bad for their inverse variance alone


def check_row(chunk: Chunk, position: int, rules: Rules) -> Row | str:
    """The spectrum at a position of a chunk, or the reason why it cannot be packed.

    A reason is a short phrase that many rows can share; details follow after a colon.
    """
    raw = chunk.flux[position]
    if raw is None:
        return chunk.problems.get(position, "unreadable")
    flux = np.array(raw, dtype=np.float32, ndmin=2)
    if reason := _wrong_shape(flux, rules):
        return reason
    mask = np.zeros(flux.shape[1], dtype=bool) if chunk.mask is None else np.array(chunk.mask[position], dtype=bool)
    ivar = None if chunk.ivar is None else np.array(chunk.ivar[position], dtype=np.float32, ndmin=2)
    if reason := _wrong_company(flux, ivar, mask):
        return reason
    num_no_ivar = 0
    if ivar is not None:
        ivar[~np.isfinite(ivar)] = 0  # inverse variance 0: nothing is known of the pixel
        if rules.ivar_masks:
            unknown = (ivar <= 0).any(axis=0) & ~mask
            mask, num_no_ivar = mask | unknown, int(unknown.sum())
    # A bad pixel's flux is never looked at, so it may be anything; it is packed as 0.
    if not (finite := np.isfinite(flux)).all():
        lost = ~finite.all(axis=0)
        if (lost & ~mask).any() and rules.nan != "mask":
            return f"flux not finite: at pixel {np.flatnonzero(lost & ~mask)[0]}"
        mask |= lost
        flux[:, lost] = 0
    if mask.all():
        return "no good pixel"
    if rules.dtype == "float16" and (reason := _not_half(flux)):
        return reason
    return Row(flux.astype(rules.dtype, copy=False), ivar, mask, num_no_ivar)


def _wrong_company(flux: NDArray[Any], ivar: NDArray[Any] | None, mask: NDArray[Any]) -> str | None:
    """Why the ivar or the mask is not this flux's. Neither is ever broadcast to its shape."""
    if ivar is not None and ivar.shape != flux.shape:
        return f"ivar of wrong shape: {list(ivar.shape)}, the flux has {list(flux.shape)}"
    if mask.shape != flux.shape[1:]:
        return f"mask of wrong shape: {list(mask.shape)}, the flux has {flux.shape[1]} pixels"
    return None


def _wrong_shape(flux: NDArray[np.float32], rules: Rules) -> str | None:
    num_channels, length = flux.shape
    if num_channels != rules.num_channels:
        return f"wrong number of channels: {num_channels}, not {rules.num_channels}"
    if length == 0:
        return "empty spectrum"
    if rules.ragged == "error" and length != rules.length:
        return f"wrong length: {length} pixels, not {rules.length}"
    if rules.grid_length and length > rules.grid_length:
        return f"longer than the wavelength grid: {length} pixels, not {rules.grid_length}"
    return None


def _not_half(flux: NDArray[np.float32]) -> str | None:
    peak = float(np.abs(flux).max())
    if peak > HALF_MAX:
        return f"too bright for data.dtype=float16: {peak:g}, at most {HALF_MAX:g}"
    if 0 < peak < HALF_NORMAL:
        return f"too faint for data.dtype=float16: {peak:g}, at least {HALF_NORMAL:.2g}"
    return None

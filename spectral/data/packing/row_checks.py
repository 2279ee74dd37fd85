"""What a spectrum must be to enter a pack: its shape, and numbers that the packed type can hold.

n rows of a chunk, of which m are good; C channels, L_i pixels in row i, L the most of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
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


@dataclass
class Checked:
    """The rows of a chunk that can be packed, as arrays.

    Args:
        good: their positions in the chunk [m], in ascending order.
        arrays: flux [m, C, L], lengths [m] and num_no_ivar [m]; mask [m, L], True = bad pixel or padding, and ivar
            [m, C, L] only if there is something in them. Empty if m is 0.
        problems: position of another row -> why it cannot be packed.
    """

    good: NDArray[np.int64]
    arrays: dict[str, NDArray[Any]]
    problems: dict[int, str] = field(default_factory=dict)


def check_rows(chunk: Chunk, rules: Rules) -> Checked:
    """The rows of a chunk by `check_row`: at once where all are as they should be, otherwise one by one."""
    num = len(chunk.flux)
    if (arrays := _all_at_once(chunk, rules)) is not None:
        return Checked(np.arange(num), arrays)
    found = {position: check_row(chunk, position, rules) for position in range(num)}
    rows = {position: row for position, row in found.items() if isinstance(row, Row)}
    problems = {position: reason for position, reason in found.items() if isinstance(reason, str)}
    return Checked(np.array([*rows], np.int64), _stacked([*rows.values()], rules) if rows else {}, problems)


def _all_at_once(chunk: Chunk, rules: Rules) -> dict[str, NDArray[Any]] | None:
    """The arrays of a chunk; None if one of its rows has another shape, or a number or a mask that needs a look."""
    num, shape = len(chunk.flux), (rules.num_channels, rules.length)
    flux = _concatenated(chunk.flux, shape, np.float32)
    if flux is None or _wrong_shape(flux[0], rules) or not np.isfinite(flux).all():
        return None
    no_mask = [np.zeros(shape[1:], bool)] * num
    mask = _concatenated(no_mask if chunk.mask is None else chunk.mask, shape[1:], np.bool_)
    ivar = None if chunk.ivar is None else _concatenated(chunk.ivar, shape, np.float32)
    if mask is None or (ivar is None) != (chunk.ivar is None):
        return None
    num_no_ivar = np.zeros(num, np.int64)
    if ivar is not None:
        ivar[~np.isfinite(ivar)] = 0
        if rules.ivar_masks:
            unknown = (ivar <= 0).any(axis=1) & ~mask
            mask, num_no_ivar = mask | unknown, unknown.sum(axis=1)
    if mask.all(axis=1).any():
        return None
    if rules.dtype == "float16" and any(map(_not_half, flux, mask)):
        return None
    arrays = {"flux": flux.astype(rules.dtype, copy=False), "lengths": np.full(num, shape[1], np.int32)}
    arrays |= {"num_no_ivar": num_no_ivar} | ({"mask": mask} if mask.any() else {})
    return arrays | ({"ivar": ivar} if ivar is not None else {})


def _concatenated(rows: Sequence[NDArray[Any] | None], shape: tuple[int, ...], dtype: Any) -> NDArray[Any] | None:
    """The rows as one new array [n, *shape]; None if there is none, or one is not of this shape and type."""
    alike = [row for row in rows if isinstance(row, np.ndarray) and row.shape == shape and row.dtype == dtype]
    return np.concatenate(alike).reshape(len(rows), *shape) if alike and len(alike) == len(rows) else None


def _stacked(rows: list[Row], rules: Rules) -> dict[str, NDArray[Any]]:
    """The arrays of `Checked`."""
    lengths = np.array([row.flux.shape[1] for row in rows], dtype=np.int32)
    flux = np.zeros((len(rows), rules.num_channels, lengths.max()), dtype=rules.dtype)
    mask = np.ones((len(rows), lengths.max()), dtype=bool)
    ivar = np.zeros(flux.shape, dtype=np.float32) if rows[0].ivar is not None else None
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        flux[i, :, :length] = row.flux
        mask[i, :length] = row.mask
        if ivar is not None and row.ivar is not None:
            ivar[i, :, :length] = row.ivar
    arrays = {"flux": flux, "lengths": lengths, "num_no_ivar": np.array([row.num_no_ivar for row in rows])}
    return arrays | ({"mask": mask} if mask.any() else {}) | ({"ivar": ivar} if ivar is not None else {})


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
    if rules.dtype == "float16" and (reason := _not_half(flux, mask)):
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


def _not_half(flux: NDArray[np.float32], mask: NDArray[np.bool_]) -> str | None:
    """Why float16 cannot hold a spectrum. What it cannot hold in bad pixels becomes 0, in place."""
    size = np.abs(flux)
    flux[(size > HALF_MAX) & mask] = 0
    peaks = size[:, ~mask].max(axis=1)
    if (peak := peaks.max()) > HALF_MAX:
        return f"too bright for data.dtype=float16: {peak:g}, at most {HALF_MAX:g}"
    faint = peaks[(peaks > 0) & (peaks < HALF_NORMAL)]
    if len(faint):
        return f"too faint for data.dtype=float16: {faint[0]:g}, at least {HALF_NORMAL:.2g}"
    return None

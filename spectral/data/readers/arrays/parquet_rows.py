"""Spectra of one Parquet record batch, their inverse variances and masks. C channels, L pixels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spectral.data.ivar import float32_ivar
from spectral.data.readers.contract import Flux

Numbers = Callable[[pa.Array], Flux]


def list_rows(batch: pa.RecordBatch) -> list[Flux | str | None]:
    """Spectra [C, L] of one column of lists [L] or [C][L]; None if there is none, or the reason why it is not read."""
    return [_list_row(cell.values, _float32) if cell.is_valid else None for cell in batch.column(0)]


def ivar_rows(batch: pa.RecordBatch) -> list[Flux | str | None]:
    """As `list_rows`, of inverse variances."""
    return [_list_row(cell.values, _ivar) if cell.is_valid else None for cell in batch.column(0)]


def _list_row(cell: pa.Array, numbers: Numbers) -> Flux | str | None:
    channels = [row.values for row in cell] if pa.types.is_nested(cell.type) else [cell]
    if not channels or any(channel is None or not len(channel) for channel in channels):
        return None
    if len({len(channel) for channel in channels}) > 1:
        return f"channels of different lengths: {', '.join(str(len(channel)) for channel in channels)}"
    return np.stack([numbers(channel) for channel in channels])


def channels_last_rows(batch: pa.RecordBatch) -> list[Flux | str | None]:
    """As `list_rows`, of lists [L][C]."""
    return [_channels_last_row(cell.values, _float32) if cell.is_valid else None for cell in batch.column(0)]


def channels_last_ivar_rows(batch: pa.RecordBatch) -> list[Flux | str | None]:
    """As `channels_last_rows`, of inverse variances."""
    return [_channels_last_row(cell.values, _ivar) if cell.is_valid else None for cell in batch.column(0)]


def _channels_last_row(cell: pa.Array, numbers: Numbers) -> Flux | str | None:
    lengths = pc.unique(pc.list_value_length(cell)).to_pylist()
    if not lengths or not all(lengths):
        return None
    if len(lengths) > 1:
        return f"pixels of different numbers of channels: {', '.join(map(str, lengths))}"
    return np.ascontiguousarray(numbers(cell.flatten()).reshape(len(cell), -1).T)


def mask_rows(batch: pa.RecordBatch) -> list[NDArray[np.bool_] | None]:
    """Masks [L] of one column of lists [L], true if a pixel is bad; a null is bad. None if there is none."""
    return [_plain(cell.values) != 0 if cell.is_valid else None for cell in batch.column(0)]


def wide_rows(batch: pa.RecordBatch) -> list[Flux | str]:
    """Spectra [1, L] of one column a pixel."""
    return list(np.stack([_float32(column) for column in batch.columns], axis=1)[:, None, :])


def _float32(values: pa.Array) -> Flux:
    """Nulls become NaN."""
    with np.errstate(over="ignore"):  # beyond float32 is inf, which the packer reports
        return _plain(values).astype(np.float32)


def _ivar(values: pa.Array) -> Flux:
    """Nulls become NaN."""
    return float32_ivar(_plain(values))


def _plain(values: pa.Array) -> NDArray[Any]:
    return np.asarray(values.to_numpy(zero_copy_only=False))

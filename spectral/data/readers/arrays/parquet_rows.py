"""Spectra of one Parquet record batch. C channels, L pixels."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spectral.data.readers.contract import Flux


def list_rows(batch: pa.RecordBatch) -> list[Flux | str]:
    """Spectra [C, L] of one column of lists [L] or [C][L]; in place of one that cannot be read, the reason."""
    return [_list_row(cell.values) if cell.is_valid else "no flux" for cell in batch.column(0)]


def _list_row(cell: pa.Array) -> Flux | str:
    channels = [row.values for row in cell] if pa.types.is_nested(cell.type) else [cell]
    if not channels or any(channel is None or not len(channel) for channel in channels):
        return "no flux"
    if len({len(channel) for channel in channels}) > 1:
        return f"channels of different lengths: {', '.join(str(len(channel)) for channel in channels)}"
    return np.stack([_float32(channel) for channel in channels])


def channels_last_rows(batch: pa.RecordBatch) -> list[Flux | str]:
    """As `list_rows`, of lists [L][C]."""
    return [_channels_last_row(cell.values) if cell.is_valid else "no flux" for cell in batch.column(0)]


def _channels_last_row(cell: pa.Array) -> Flux | str:
    lengths = pc.unique(pc.list_value_length(cell)).to_pylist()
    if not lengths or not all(lengths):
        return "no flux"
    if len(lengths) > 1:
        return f"pixels of different numbers of channels: {', '.join(map(str, lengths))}"
    return np.ascontiguousarray(_float32(cell.flatten()).reshape(len(cell), -1).T)


def wide_rows(batch: pa.RecordBatch) -> list[Flux | str]:
    """Spectra [1, L] of one column a pixel."""
    return list(np.stack([_float32(column) for column in batch.columns], axis=1)[:, None, :])


def _float32(values: pa.Array) -> Flux:
    """Nulls become NaN."""
    with np.errstate(over="ignore"):  # beyond float32 is inf, which the packer reports
        return np.asarray(values.to_numpy(zero_copy_only=False)).astype(np.float32)

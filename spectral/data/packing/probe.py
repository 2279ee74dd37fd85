"""A look at a few spectra of a reader, to learn the shape that most of them have."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectral.configs.data import DataConfig
from spectral.data.packing.row_checks import Rules
from spectral.data.readers.contract import Chunk, Reader, known_bad_rows, read_rows
from spectral.errors import UserError

NUM_PROBED = 64  # spectra
MOST_PROBED = 4096  # further ones, in search of some that can be read


@dataclass(frozen=True)
class Probe:
    """What a few spectra show of all.

    Args:
        rules: the shape that most spectra have, and what the options say of others.
    """

    rules: Rules
    has_ivar: bool


def probed(reader: Reader, config: DataConfig, num_rows: int) -> Probe:
    """Read some rows, evenly spread.

    If none of them can be read, others are tried: of a catalog of a whole survey there may be few files.

    Raises:
        UserError: none of them can be read.
    """
    rows = _spread(num_rows, NUM_PROBED)
    chunk = read_rows(reader, rows)
    shapes, reason, num_tried = _shapes(chunk), next(iter(chunk.problems.values()), "unreadable"), len(rows)
    for others in () if shapes else _others(reader, num_rows, rows):
        chunk = read_rows(reader, others)
        shapes.update(_shapes(chunk))
        num_tried += len(others)
        if shapes.total() >= NUM_PROBED:
            break
    if not shapes:
        raise UserError(f"None of {num_tried:,} spectra tried could be read, the first because: {reason}.")
    num_channels, length = shapes.most_common(1)[0][0]
    wave = reader.wave_angstrom()
    grid_length = None if wave is None else len(wave)
    rules = Rules(
        dtype=config.dtype,
        nan=config.nan,
        ragged=config.ragged,
        num_channels=num_channels,
        length=grid_length or length,
        grid_length=grid_length,
        ivar_masks=config.ivar_masks,
    )
    return Probe(rules, has_ivar=chunk.ivar is not None)


def _shapes(chunk: Chunk) -> Counter[tuple[int, ...]]:
    return Counter(np.atleast_2d(flux).shape for flux in chunk.flux if flux is not None)


def _others(reader: Reader, num_rows: int, tried: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Further rows, evenly spread, some at a time. Of those that are known to be bad no file is opened."""
    known = known_bad_rows(reader)
    open_ = np.setdiff1d(np.arange(num_rows) if known is None else np.flatnonzero(~known), tried)
    rows = open_[_spread(len(open_), MOST_PROBED)]
    num = math.ceil(len(rows) / NUM_PROBED)
    return [rows[start::num] for start in range(num)]


def _spread(num_rows: int, num: int) -> NDArray[np.int64]:
    """At most `num` rows, evenly spread."""
    return np.unique(np.linspace(0, num_rows - 1, min(num, num_rows)).astype(np.int64))

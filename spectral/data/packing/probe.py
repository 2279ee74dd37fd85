"""A look at a few spectra of a reader, to learn the shape that most of them have."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectral.configs.data import DataConfig
from spectral.data.packing.row_checks import Rules
from spectral.data.readers.contract import Reader
from spectral.errors import UserError

NUM_PROBED = 64  # spectra


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

    Raises:
        UserError: none of them can be read.
    """
    chunk = reader.read(_spread(num_rows, NUM_PROBED))
    shapes = Counter(np.atleast_2d(flux).shape for flux in chunk.flux if flux is not None)
    if not shapes:
        reason = next(iter(chunk.problems.values()), "unreadable")
        raise UserError(f"None of {len(chunk.flux)} spectra tried could be read, the first because: {reason}.")
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


def _spread(num_rows: int, num: int) -> NDArray[np.int64]:
    """At most `num` rows, evenly spread."""
    return np.unique(np.linspace(0, num_rows - 1, min(num, num_rows)).astype(np.int64))

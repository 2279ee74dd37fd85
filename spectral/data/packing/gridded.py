"""A reader's spectra on one wavelength grid: `data.grid`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.configs.data import GridConfig
from spectral.data.readers.contract import Chunk, Reader, place_of
from spectral.data.resampling import Resampler
from spectral.errors import UserError

ROUNDING = 1e-6  # of a step


def grid_angstrom(config: GridConfig) -> NDArray[np.float64]:
    """The wavelengths [L] of a grid, in Angstrom.

    Those of a logarithmic grid are whole multiples of the step in log10, as LAMOST's and SDSS's own pixels are.
    """
    start, stop, step = config.start_angstrom, config.stop_angstrom, config.step
    if config.kind == "linear":
        return np.asarray(start + step * np.arange(int((stop - start) / step + ROUNDING) + 1), np.float64)
    first, last = np.ceil(np.log10(start) / step - ROUNDING), np.floor(np.log10(stop) / step + ROUNDING)
    return np.asarray(10 ** (step * np.arange(first, last + 1)))


def on_grid(reader: Reader, config: GridConfig) -> Reader:
    """The reader of the same spectra on the grid, unless pixels stay the source's.

    Raises:
        UserError: they do and spectra have wavelengths of their own, or they do not and spectra have none.
    """
    per_row = getattr(reader, "wave_per_row", False)
    if config.kind == "native":
        if per_row:
            raise UserError(
                "data.grid.kind=native is not allowed for this data, since spectra have wavelengths of their own: give "
                "'data.grid={kind: log, start_angstrom: 3800, stop_angstrom: 9000, step: 0.0001}'."
            )
        return reader
    wave = reader.wave_angstrom()
    if wave is None and not per_row:
        raise UserError("data.grid needs wavelengths and this data has none: leave data.grid out.")
    return GriddedReader(reader, grid_angstrom(config), wave)


@dataclass
class GriddedReader:
    """Spectra of a reader, each resampled as it is read.

    Args:
        grid: wavelengths in Angstrom [L].
        wave: of the reader's spectra, where they share them.
    """

    reader: Reader
    grid: NDArray[np.float64]
    wave: NDArray[np.float64] | None
    resampler: Resampler = field(init=False)

    def __post_init__(self) -> None:
        self.resampler = Resampler(self.grid)
        self.class_names = getattr(self.reader, "class_names", None)
        self.wave_unit = getattr(self.reader, "wave_unit", None)
        self.wave_medium = getattr(self.reader, "wave_medium", None)

    def catalog(self) -> pd.DataFrame:
        return self.reader.catalog()

    def wave_angstrom(self) -> NDArray[np.float64]:
        return self.grid

    def fingerprint(self) -> str:
        return self.reader.fingerprint()

    def settings(self) -> Mapping[str, object]:
        return self.reader.settings()

    def place(self, row: int) -> str | None:
        return place_of(self.reader, row)

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        chunk = self.reader.read(rows)
        result = Chunk(flux=[None] * len(rows), problems=dict(chunk.problems))
        empty = np.zeros((1, 0), np.float32)
        ivars: list[NDArray[np.float32]] = [empty] * len(rows)
        result.mask = [np.zeros(0, bool)] * len(rows)
        for position, flux in enumerate(chunk.flux):
            if flux is None:
                continue
            wave = self.wave if chunk.wave_angstrom is None else chunk.wave_angstrom[position]
            assert wave is not None  # on_grid has seen to it
            ivar = None if chunk.ivar is None else np.atleast_2d(chunk.ivar[position])
            mask = None if chunk.mask is None else chunk.mask[position]
            try:
                resampled = self.resampler(wave, np.atleast_2d(flux), ivar, mask)
            except ValueError as error:
                result.problems[position] = str(error)
                continue
            result.flux[position], result.mask[position] = resampled.flux, resampled.mask
            if resampled.ivar is not None:
                ivars[position] = resampled.ivar
        if chunk.ivar is not None:
            result.ivar = ivars
        return result

"""A reader's spectra on one wavelength grid: `data.grid`."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spectral.configs.data import GridConfig
from spectral.data.packing.wrapped import WrappedReader
from spectral.data.readers.contract import Chunk, Reader, read_rows
from spectral.data.resampling import SAME_PIXEL, Resampler
from spectral.errors import UserError

ROUNDING = 1e-6  # of a step
DIGITS = 9  # after the point of what a grid is written as


def grid_angstrom(config: GridConfig) -> NDArray[np.float64]:
    """The wavelengths [L] of a grid, in Angstrom.

    Those of a logarithmic grid are whole multiples of the step in log10, as LAMOST's and SDSS's own pixels are.
    """
    if config.wave_angstrom is not None:
        return np.asarray(config.wave_angstrom, np.float64)
    start, stop, step = config.start_angstrom, config.stop_angstrom, config.step
    if config.kind == "linear":
        return np.asarray(start + step * np.arange(int((stop - start) / step + ROUNDING) + 1), np.float64)
    first, last = np.ceil(np.log10(start) / step - ROUNDING), np.floor(np.log10(stop) / step + ROUNDING)
    return np.asarray(10 ** (step * np.arange(first, last + 1)))


def grid_of(wave: NDArray[np.float64]) -> GridConfig:
    """The grid of wavelengths [L], by its steps if they rise evenly enough to be the same pixels, else listed."""
    last = len(wave) - 1
    start, step = (round(float(x), DIGITS) for x in (wave[0], (wave[-1] - wave[0]) / last))
    log_step = round(float(np.log10(wave[-1] / wave[0])) / last, DIGITS)
    grids = [GridConfig("linear", start, round(start + step * last, DIGITS), step)]
    if log_step > 0:
        first = round(float(np.log10(wave[0])) / log_step)
        blue, red = (round(float(10 ** (log_step * k)), DIGITS) for k in (first, first + last))
        grids.append(GridConfig("log", blue, red, log_step))
    same = [grid for grid in grids if grid.step > 0 and are_same_pixels(grid_angstrom(grid), wave)]
    return same[0] if same else GridConfig("listed", wave_angstrom=wave.tolist())


def are_same_pixels(grid: NDArray[np.float64], wave: NDArray[np.float64]) -> bool:
    """Whether two grids have the same pixels, to what the resampler takes for the same."""
    return len(grid) == len(wave) and bool((np.abs(grid - wave) < SAME_PIXEL * np.abs(np.diff(wave)).min()).all())


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
class GriddedReader(WrappedReader):
    """Spectra of a reader, each resampled as it is read.

    Args:
        grid: wavelengths in Angstrom [L].
        wave: of the reader's spectra, where they share them.
    """

    grid: NDArray[np.float64]
    wave: NDArray[np.float64] | None
    resampler: Resampler = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.resampler = Resampler(self.grid)

    def wave_angstrom(self) -> NDArray[np.float64]:
        return self.grid

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        chunk = read_rows(self.reader, rows)
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

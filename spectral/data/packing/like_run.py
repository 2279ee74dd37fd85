"""Data made as the spectra of a run were that is applied to it: the run brings its grid, baseline, mask and length."""

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.configs.baseline import BaselineConfig, baseline_from, baseline_in_words
from spectral.configs.data import DataConfig
from spectral.data.packing.gridded import are_same_pixels, grid_angstrom, grid_of
from spectral.data.packing.wrapped import WrappedReader
from spectral.data.readers.contract import Chunk, Reader, read_rows
from spectral.data.resampling import is_monotonic
from spectral.errors import UserError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunSpectra:
    """What the spectra of a run were made like.

    Args:
        name: of the run, as sentences have it.
        wave_angstrom: [L], or None.
        baseline: how it was removed, see `BaselineConfig.used`; empty: it was not.
        ivar_masks: whether pixels without inverse variance were masked; None: not known, or there was none.
        length: pixels of a spectrum, padding included; None: not asked for.
    """

    name: str
    wave_angstrom: NDArray[np.float64] | None
    baseline: Mapping[str, Any] = field(default_factory=dict)
    ivar_masks: bool | None = None
    length: int | None = None


def like_run(config: DataConfig, reader: Reader, run: RunSpectra) -> DataConfig:
    """The config of a reader with the run's wavelengths as its grid, baseline and mask, as far as it gives none.

    Raises:
        UserError: the run's wavelengths neither rise nor fall.
    """
    if run.baseline and config.baseline == BaselineConfig():
        log.info("Removing the baseline as for %s: %s.", run.name, baseline_in_words(run.baseline))
        config = dataclasses.replace(config, baseline=baseline_from(run.baseline, "data.baseline"))
    if run.ivar_masks is False and config.ivar_masks:
        log.info("Pixels without inverse variance are not masked, as for %s (data.ivar_masks=false).", run.name)
        config = dataclasses.replace(config, ivar_masks=False)
    wave = run.wave_angstrom
    if wave is None or not is_grid_open(config, reader):
        return config
    if not is_monotonic(wave):
        raise UserError(f"{run.name} has wavelengths that neither rise nor fall: spectra cannot be resampled to them.")
    words = f"{wave[0]:.1f} to {wave[-1]:.1f} Angstrom in {len(wave):,} pixels"
    log.info("Resampling to the wavelengths of %s, %s.", run.name, words)
    if config.grid.kind != "native" and are_same_pixels(grid_angstrom(config.grid), wave):
        return config
    return dataclasses.replace(config, grid=grid_of(wave))


def is_grid_open(config: DataConfig, reader: Reader) -> bool:
    """Whether spectra have wavelengths of their own and data.grid is not given: a survey's default is for training."""
    return getattr(reader, "wave_per_row", False) and config.grid == type(config)().grid


def longer_than_run(num_pixels: int, of_run: int) -> str:
    """Why a spectrum cannot be classified."""
    return f"longer than the run's spectra: {num_pixels} pixels, not {of_run}"


@dataclass
class LengthCheckedReader(WrappedReader):
    """Spectra of a reader, of which those with more pixels than a run's are bad rows."""

    most_pixels: int

    def settings(self) -> Mapping[str, object]:
        return {**self.reader.settings(), "most_pixels": self.most_pixels}

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        chunk = read_rows(self.reader, rows)
        for position, flux in enumerate(chunk.flux):
            if flux is not None and (num := np.shape(flux)[-1]) > self.most_pixels:
                chunk.flux[position] = None
                chunk.problems[position] = longer_than_run(num, self.most_pixels)
        return chunk

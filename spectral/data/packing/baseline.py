"""Spectra without their baseline: `data.baseline`. C channels, L pixels."""

import importlib.util
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectral.configs.baseline import BaselineConfig
from spectral.data.packing.wrapped import WrappedReader
from spectral.data.readers.contract import Chunk, Flux, Reader, read_rows
from spectral.errors import UserError


def without_baseline(reader: Reader, config: BaselineConfig) -> Reader:
    """The reader of the same spectra without their baseline; the reader itself if the method is none.

    Raises:
        UserError: pybaselines is not installed.
    """
    if not config.used:
        return reader
    check_pybaselines(config)
    return BaselineReader(reader, config)


def check_pybaselines(config: BaselineConfig) -> None:
    """Raise UserError if pybaselines is needed and is not installed."""
    if config.used and importlib.util.find_spec("pybaselines") is None:
        raise UserError(
            f"data.baseline.method={config.method} needs pybaselines, which is not installed: "
            "python -m pip install -e '.[baseline]'."
        )


@dataclass
class BaselineReader(WrappedReader):
    """Spectra of a reader, from each of which the baseline is taken as it is read."""

    config: BaselineConfig

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        chunk = read_rows(self.reader, rows)
        remove_baselines(chunk, self.config)
        return chunk


def remove_baselines(chunk: Chunk, config: BaselineConfig) -> None:
    """Take the baseline off each spectrum of a chunk, in place; where there is none to find, the row has a problem."""
    for position, raw in enumerate(chunk.flux):
        if raw is None:
            continue
        flux = np.array(raw, np.float32, ndmin=2)
        bad = ~np.isfinite(flux)
        mask, ivar = (None if all_ is None else all_[position] for all_ in (chunk.mask, chunk.ivar))
        # What does not fit the flux is reported when the row is checked.
        if mask is not None and np.shape(mask) == flux.shape[1:]:
            bad |= mask
        if ivar is not None and np.shape(np.atleast_2d(ivar)) == flux.shape:
            bad |= ~(np.array(ivar, np.float32, ndmin=2) > 0)
        try:
            chunk.flux[position] = np.stack([_without(*channel, config) for channel in zip(flux, bad, strict=True)])
        except ValueError as error:
            chunk.flux[position] = None
            chunk.problems[position] = f"no baseline: {error}"


def _without(flux: NDArray[np.float32], bad: NDArray[np.bool_], config: BaselineConfig) -> Flux:
    """One channel [L] without its baseline, which is fitted with bad pixels on the line between good ones.

    Raises:
        ValueError: no baseline is found.
    """
    from pybaselines import Baseline  # takes a tenth of a second, which others need not wait

    good = np.flatnonzero(~bad)
    if not len(good):
        return flux
    used = config.used
    method = getattr(Baseline(), used.pop("method"))
    filled = np.interp(np.arange(len(flux)), good, flux[good].astype(np.float64))
    # Surveys give flux in units of 1e-17 at times, at which the methods' own tolerances would stop them at once.
    size = np.abs(filled).max() or 1.0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the last step was large
            found, _ = method(filled / size, **used)
    except np.linalg.LinAlgError as error:
        raise ValueError(str(error)) from error
    if not np.isfinite(found).all():
        raise ValueError("it is not finite")
    return np.asarray(flux - size * found, np.float32)

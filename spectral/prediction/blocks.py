"""Spectra as arrays, some rows at a time, from a reader or from a pack. No torch: reading processes import it.

n rows, of which m can be classified, C channels, L pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spectral.data.packing.like_run import longer_than_run
from spectral.data.packing.parts import Span
from spectral.data.packing.row_checks import Rules, check_rows
from spectral.data.readers.contract import Reader, read_rows
from spectral.survey import Survey


@dataclass
class Block:
    """Some consecutive rows.

    Args:
        span: first row and the row after the last, n = stop - start.
        good: positions of the rows that can be classified [m], in ascending order.
        flux: [m, C, L]; None if m is 0.
        ivar: [m, C, L], if there are any.
        mask: [m, L], True = bad pixel or padding; None if no pixel is.
        problems: position of another row -> why it cannot be classified.
    """

    span: Span
    good: NDArray[np.int64]
    flux: NDArray[Any] | None
    ivar: NDArray[np.float32] | None = None
    mask: NDArray[np.bool_] | None = None
    problems: dict[int, str] = field(default_factory=dict)


class Blocks(Protocol):
    """Where blocks come from. Instances are pickled to reading processes.

    Args:
        num_channels, length: of a spectrum.
        wave_angstrom: [L], or None.
        baseline: how it was removed, see `BaselineConfig.used`.
        ivar_masks: whether pixels without inverse variance are masked; None: there is none, or it is not known.
        fingerprint: changes when the spectra change.
        settings: the options that shape the spectra, as JSON values.
        reads_slowly: whether a spectrum takes about as long to read as to classify.
        needs_checks: whether each spectrum is checked by itself, which takes its time.
    """

    num_channels: int
    length: int
    wave_angstrom: NDArray[np.float64] | None
    baseline: Mapping[str, Any]
    ivar_masks: bool | None
    has_ivar: bool
    fingerprint: str
    settings: Mapping[str, Any]
    reads_slowly: bool
    needs_checks: bool

    def read(self, span: Span) -> Block: ...


@dataclass
class ReaderBlocks:
    """Blocks of a reader: each spectrum is checked by the rules of packing, and none is ever written to disk."""

    reader: Reader
    rules: Rules
    has_ivar: bool
    fingerprint: str
    settings: Mapping[str, Any]
    reads_slowly: bool
    baseline: Mapping[str, Any] = field(default_factory=dict)
    needs_checks = True

    def __post_init__(self) -> None:
        self.num_channels, self.length = self.rules.num_channels, self.rules.length
        self.wave_angstrom = self.reader.wave_angstrom()
        self.ivar_masks = self.rules.ivar_masks if self.has_ivar else None

    def read(self, span: Span) -> Block:
        checked = check_rows(read_rows(self.reader, np.arange(*span, dtype=np.int64)), self.rules)
        flux, ivar, mask = (checked.arrays.get(name) for name in ("flux", "ivar", "mask"))
        return Block(span, checked.good, flux, ivar, mask, checked.problems)


class PackBlocks:
    """Blocks of a packed survey, whose rows were checked when it was packed.

    They are read from the files, not through the maps: pages of a map stay in the memory of the process.

    Args:
        survey: with the lengths of its spectra in the catalog.
        run_length: pixels of the run's spectra. Of spectra on no grid those with more cannot be classified.
    """

    reads_slowly = needs_checks = False

    def __init__(self, survey: Survey, run_length: int) -> None:
        assert survey.folder is not None
        self.folder, self.num_rows = survey.folder, len(survey)
        self.num_channels, self.length, self.wave_angstrom = survey.num_channels, survey.length, survey.wave_angstrom
        self.baseline, self.ivar_masks = survey.baseline, survey.ivar_masks
        self.has_ivar, self.fingerprint = survey.ivar is not None, survey.fingerprint
        self.settings: Mapping[str, Any] = {"reader": "packed"}
        self._arrays = (survey.flux, survey.ivar, survey.mask)
        self._run_length, self._lengths = run_length, survey.catalog["length"].to_numpy()
        fits = self._lengths <= run_length
        self._has_longer = survey.wave_angstrom is None and bool(fits.any()) and not fits.all()
        if self._has_longer:
            self.length = int(self._lengths[fits].max())

    def read(self, span: Span) -> Block:
        flux, ivar, mask = (None if array is None else _read(array, span) for array in self._arrays)
        if not self._has_longer:
            return Block(span, np.arange(span[1] - span[0]), flux, ivar, mask)
        lengths = self._lengths[slice(*span)]
        good = np.flatnonzero(lengths <= self.length)
        flux, ivar, mask = (None if a is None else a[good, ..., : self.length] for a in (flux, ivar, mask))
        longer = np.flatnonzero(lengths > self.length).tolist()
        problems = {row: longer_than_run(int(lengths[row]), self._run_length) for row in longer}
        return Block(span, good, flux if len(good) else None, ivar, mask, problems)


def _read(array: NDArray[Any], span: Span) -> NDArray[Any]:
    """Some rows of an array that is mapped from a file, in memory of their own."""
    assert isinstance(array, np.memmap) and array.filename is not None
    row, shape = array.strides[0], (span[1] - span[0], *array.shape[1:])
    found = np.fromfile(array.filename, array.dtype, int(np.prod(shape)), offset=array.offset + span[0] * row)
    return found.reshape(shape)

"""Arrays of FITS files: images, and the columns of binary tables. Rows are read, never a whole table."""

import gzip
import shutil
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.packing.parts import cut
from spectral.data.readers.arrays.array_map import extracted_file
from spectral.data.readers.arrays.stored_array import KnownArray, StoredArray, damage_errors
from spectral.data.readers.survey_files.fits_columns import has_own_lengths, single_columns, table_columns
from spectral.data.readers.survey_files.fits_file import GZIP_MAGIC, open_fits
from spectral.data.readers.survey_files.fits_hdu import Hdu, rows_at_once
from spectral.data.readers.survey_files.fits_header import FitsHeader
from spectral.errors import UserError

BLOCK_BYTES = 2**24
WAVE_NAMES = ("wave", "wavelength", "lambda", "loglam")


@dataclass(frozen=True)
class FitsImage:
    """An image [N, ...]."""

    source: str
    path: Path
    hdu: int
    shape: tuple[int, ...]
    dtype: str
    kind: str
    unit: str | None  # that the file states, BUNIT

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        with damage_errors(self.source), open_fits(self.path) as hdus:
            return hdus[self.hdu].rows(numbers.tolist())

    def values(self) -> NDArray[Any]:
        with damage_errors(self.source), open_fits(self.path) as hdus:
            return hdus[self.hdu].data


@dataclass(frozen=True)
class FitsColumn:
    """A column [N] or [N, ...] of a table."""

    source: str
    path: Path
    hdu: int
    name: str  # in lower case
    shape: tuple[int, ...]
    dtype: str
    kind: str
    unit: str | None  # that the file states, TUNITn

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        with damage_errors(self.source), open_fits(self.path) as hdus:
            hdu = hdus[self.hdu]
            runs = [(int(run[0]), int(run[-1]) + 1) for run in np.split(numbers, breaks) if len(run)]
            pieces = cut(runs, rows_at_once(hdu.header.axes[0]))
            parts = [table_columns(hdu, [self.name], start, stop)[self.name] for start, stop in pieces]
        return np.concatenate(parts) if parts else np.zeros((0, *self.shape[1:]), self.dtype)

    def values(self) -> NDArray[Any]:
        """Raises UserError for a column of Python objects: its cells have lengths of their own."""
        if self.kind == "O":
            raise UserError(f"{self.source} has cells of lengths of their own (P or Q): write it with one length.")
        if len(self.shape) == 1:
            return _single_columns(self.path, self.hdu, self.path.stat().st_mtime_ns, self.source)[self.name]
        return self.rows(np.arange(self.shape[0]))


def map_fits(path: Path, source: str, flux_key: str | None = None) -> dict[str, StoredArray]:
    """The images of a file by the names of their HDUs, and the columns of its tables by theirs.

    If none of them is named as wavelengths are, but the header of the flux has keywords for them, `wave` is made of
    these: COEFF0 and COEFF1 (log10 of Angstrom), or CRVAL1, CDELT1 or CD1_1, and CRPIX1 (log10 if CTYPE1 or DC-FLAG
    says so) in the unit CUNIT1.

    Args:
        flux_key: the array of fluxes; None: the first one with rows of several numbers.

    Raises:
        UserError: it is no FITS file, or is damaged.
    """
    found: dict[str, StoredArray] = {}
    headers: dict[str, FitsHeader] = {}
    with damage_errors(source):
        unpacked = _unpacked(path, path.stat().st_mtime_ns)
        with open_fits(unpacked) as hdus:
            primary = hdus[0].header
            for hdu in hdus:
                for name, array in _arrays_of(hdu, unpacked, source):
                    headers.setdefault(name, hdu.header)
                    found.setdefault(name, array)
    flux = flux_key or next((name for name, array in found.items() if name.lower() == "flux"), None)
    flux = flux or next((name for name, array in found.items() if len(array.shape) > 1), None)
    if flux in found and not any(name.lower() in WAVE_NAMES for name in found):
        wave, unit = _keyword_wave([headers[flux], primary], found[flux].shape[-1])
        if wave is not None:
            found["wave"] = KnownArray(f"the wavelengths of {source}", wave, unit)
    return found


def _arrays_of(hdu: Hdu, path: Path, source: str) -> Iterable[tuple[str, StoredArray]]:
    if hdu.is_image and len(hdu.shape) in (1, 2):
        name = hdu.name or f"hdu{hdu.number}"
        dtype = (hdu.data if len(hdu.shape) == 1 else hdu.rows([0] if hdu.shape[0] else [])).dtype
        said, unit = f"'{name}' in {source}", hdu.header.text("BUNIT")
        yield name, FitsImage(said, path, hdu.number, hdu.shape, dtype.str, dtype.kind, unit)
    if hdu.is_table:
        fixed = [column.name for column in hdu.columns if not has_own_lengths(column)]
        sample = table_columns(hdu, [name.lower() for name in fixed], 0, min(1, hdu.num_rows))
        for name in hdu.columns.names:
            yield name, _column(hdu, name, sample.get(name.lower(), np.zeros(0, object)), path, source)


def _column(hdu: Hdu, name: str, sample: NDArray[Any], path: Path, source: str) -> FitsColumn:
    shape = (hdu.num_rows, *sample.shape[1:])
    said = f"'{name}' in {source}"
    unit = hdu.columns[name].unit
    return FitsColumn(said, path, hdu.number, name.lower(), shape, sample.dtype.str, sample.dtype.kind, unit)


def _keyword_wave(headers: Sequence[FitsHeader], length: int) -> tuple[NDArray[np.float64] | None, str | None]:
    """The wavelengths and the unit that is stated; None for what is not there."""
    for header in headers:
        start, step, first, unit = header.get("COEFF0"), header.get("COEFF1"), 1.0, None
        is_log = start is not None
        if start is None:
            start, step = header.get("CRVAL1"), header.get("CDELT1", header.get("CD1_1"))
            pixel, is_log = header.get("CRPIX1", 1), "LOG" in str(header.get("CTYPE1", "")).upper()
            first = float(pixel) if isinstance(pixel, int | float) else 1.0
            is_log, unit = is_log or header.get("DC-FLAG") == 1, header.text("CUNIT1")
        if isinstance(start, int | float) and isinstance(step, int | float) and step != 0:
            values = start + step * (np.arange(length) + 1 - first)
            return np.asarray(10.0**values if is_log else values, np.float64), unit
    return None, None


@lru_cache(maxsize=1)
def _single_columns(path: Path, number: int, mtime_ns: int, source: str) -> dict[str, NDArray[Any]]:
    """All columns of a table that have one value per row, read at once: each alone would read the whole table."""
    with damage_errors(source), open_fits(path) as hdus:
        hdu = hdus[number]
        names = [name.lower() for name in single_columns(hdu.columns)]
        step = max(1, BLOCK_BYTES // hdu.header.axes[0])
        starts = range(0, max(1, hdu.num_rows), step)
        blocks = [table_columns(hdu, names, at, at + step, masks_missing=True) for at in starts]
    return {name: _joined([block[name] for block in blocks]) for name in names}


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The parts of a column; masked if one of them is."""
    if not any(isinstance(part, np.ma.MaskedArray) for part in parts):
        return np.concatenate(parts)
    joined: NDArray[Any] = np.ma.concatenate(parts)  # type: ignore[no-untyped-call]  # NumPy's masked arrays are untyped
    return joined


@lru_cache(maxsize=8)
def _unpacked(path: Path, mtime_ns: int) -> Path:
    """A file as it is, or a compressed one extracted: its rows are asked for in any order."""
    with path.open("rb") as file:
        if file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            return path
    try:
        with gzip.open(path) as packed, extracted_file(".fits") as plain:
            shutil.copyfileobj(packed, plain)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is not a whole gzip file: {' '.join(str(error).split()).rstrip('.')}.") from error
    return Path(plain.name)

"""FITS files, read with astropy: only the columns asked for, and every damage as a reason."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from spectral.data.readers.survey_files.layout import UnreadableError


@contextmanager
def open_fits(path: Path) -> Iterator[fits.HDUList]:
    """The HDUs of a file, also a compressed one.

    Raises:
        UnreadableError: what astropy raises within the block, as a reason; or a warning that the file is cut short.
    """
    if path.exists() and path.stat().st_size == 0:
        raise UnreadableError("empty file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # headers of old pipelines break small rules of FITS
        warnings.filterwarnings("error", "(?s).*(truncated|corrupt)", AstropyWarning)
        try:
            with fits.open(path, memmap=False) as hdus:
                yield hdus
        except (UnreadableError, FileNotFoundError, PermissionError):
            raise
        # astropy and zlib have many errors for a damaged file, and whatever it is, the file cannot be read.
        except Exception as error:
            words = " ".join(str(error).split()) or type(error).__name__
            raise UnreadableError(f"not a whole FITS file: {words}") from error


def hdu_at(hdus: fits.HDUList, which: int | str, what: str) -> Any:
    """An HDU by number or name.

    Raises:
        UnreadableError: there is none; `what` says what was expected there.
    """
    try:
        return hdus[which]
    except (KeyError, IndexError):
        names = ", ".join(f"{i} {hdu.name}".strip() for i, hdu in enumerate(hdus))
        raise UnreadableError(f"wrong layout: no HDU {which} with {what}, there are {names}") from None


def table_columns(hdu: Any, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Columns of a binary table in native byte order, by their names in lower case; those that are absent are left out.

    They are taken from the bytes of the table: astropy's own would first make an object of each of its columns, which
    takes ten times as long for a table of a hundred.

    Raises:
        UnreadableError: the HDU is no table, or shorter than its header says.
    """
    if not isinstance(hdu, fits.BinTableHDU) or isinstance(hdu, fits.CompImageHDU):
        raise UnreadableError(f"wrong layout: HDU {hdu.name or hdu.ver} is not a binary table")
    there = {name.lower(): name for name in hdu.columns.names}
    wanted = {name: there[name] for name in names if name in there}
    if any(hdu.columns[name].format.lstrip("0123456789")[:1] in "PQX" for name in wanted.values()):
        return {name: np.asarray(hdu.data[column]) for name, column in wanted.items()}
    table = _raw_table(hdu)
    return {name: _native(hdu.columns[column], table[column]) for name, column in wanted.items()}


def _raw_table(hdu: Any) -> NDArray[Any]:
    dtype = hdu.columns.dtype.newbyteorder(">")
    num_rows = int(hdu.header["NAXIS2"])
    if dtype.itemsize != hdu.header["NAXIS1"]:
        raise UnreadableError(f"wrong layout: rows of HDU {hdu.name} are not as long as their columns")
    where = hdu.fileinfo()
    file = where["file"]
    file.seek(where["datLoc"])
    raw = file.read(dtype.itemsize * num_rows)
    if len(raw) < dtype.itemsize * num_rows:
        raise UnreadableError(f"cut short: HDU {hdu.name} has {len(raw):,} of {dtype.itemsize * num_rows:,} bytes")
    return np.frombuffer(raw, dtype=dtype)


def _native(column: Any, values: NDArray[Any]) -> NDArray[Any]:
    if column.bscale not in ("", None, 1) or column.bzero not in ("", None, 0):
        return np.asarray(values * (column.bscale or 1) + (column.bzero or 0))
    if values.dtype.kind == "S":
        return np.char.strip(np.char.decode(values, "ascii", "replace"))
    return values.astype(values.dtype.newbyteorder("="))


def float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """Numbers as float32 in native byte order; those beyond its range become infinite, which the row checks see."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)

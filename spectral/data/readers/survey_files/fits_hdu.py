"""An HDU of a FITS file: its header, and of its data the rows that are asked for, as astropy decodes them."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from math import prod
from typing import Any, Protocol

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_header import FitsHeader
from spectral.data.readers.survey_files.layout import UnreadableError

MOST_BYTES = 2**28  # of one reading, whatever a header asks for
MOST_COLUMNS = 999  # of the standard; astropy makes a list as long as TFIELDS says


class Bytes(Protocol):
    """Where an HDU lies."""

    def read(self, offset: int, num: int) -> bytes:
        """At most `num` bytes, fewer where the file ends."""
        ...

    def num_missing(self, offset: int) -> int:
        """Bytes that the file has too few to reach an offset, as far as that is known."""
        ...


@contextmanager
def decoding(where: object) -> Iterator[None]:
    """Whatever astropy raises at damaged bytes, as one reason; its warnings of odd headers are not shown.

    Raises:
        UnreadableError: in place of any other error.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnreadableError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise UnreadableError(f"damaged FITS: {where}: {said or type(error).__name__}") from error


class Hdu:
    """A header, and the data that follow it.

    Args:
        number: its place in the file.
        header_bytes: its cards up to END and that.
        start: offset of its data in bytes.
    """

    def __init__(self, file: Bytes, number: int, header_bytes: bytes, start: int) -> None:
        self.file, self.number, self.header_bytes, self.start = file, number, header_bytes, start
        with decoding(f"HDU {number}"):
            self.header = FitsHeader(fits.Header.fromstring(header_bytes), f"HDU {number}")

    @property
    def name(self) -> str:
        return str(self.header.get("EXTNAME") or ("PRIMARY" if self.number == 0 else "")).upper()

    def __str__(self) -> str:
        return f"HDU {self.number} {self.name}".rstrip()

    @property
    def num_bytes(self) -> int:
        """Of its data, before padding. Raises UnreadableError if that is no sound number."""
        for keyword, default in (("PCOUNT", 0), ("GCOUNT", 1)):
            self.header.count(keyword, default)
        if not self.header.axes:
            return 0
        with decoding(self):
            return int(self.header.cards.data_size)

    @property
    def is_image(self) -> bool:
        extension = self.header.get("XTENSION", "IMAGE")
        return extension == "IMAGE" and len(self.header.axes) > 0

    @property
    def is_table(self) -> bool:
        """A compressed image is stored as a table, but is none."""
        is_binary = self.header.get("XTENSION") == "BINTABLE" and self.header.get("ZIMAGE") is not True
        return is_binary and len(self.header.axes) == 2

    @property
    def num_rows(self) -> int:
        """Of a binary table. Raises UnreadableError if the HDU is none."""
        self._check_table()
        return self.header.axes[1]

    def _check_table(self) -> None:
        if not self.is_table:
            raise UnreadableError(f"wrong layout: {self} is not a binary table")

    @cached_property
    def columns(self) -> fits.ColDefs:
        """Of a binary table.

        Raises:
            UnreadableError: the HDU is none, or its columns do not make up its rows.
        """
        self._check_table()
        num, row_bytes = self.header.count("TFIELDS"), self.header.axes[0]
        if not 0 < num <= MOST_COLUMNS:
            raise UnreadableError(f"damaged FITS: {self} has TFIELDS={num}")
        with decoding(self):
            columns = _columns(self.header_bytes)
            num_bytes = columns.dtype.itemsize
        if num_bytes != row_bytes:
            raise UnreadableError(f"damaged FITS: {self} has rows of {row_bytes} bytes and columns of {num_bytes}")
        return columns

    def read(self, offset: int, num: int) -> bytes:
        """Some bytes of the data.

        Raises:
            UnreadableError: the file ends before them, or there are too many to be sound.
        """
        num_missing = self.file.num_missing(self.start + offset + num)
        if num > MOST_BYTES and not num_missing:
            raise UnreadableError(f"too large: {self} asks for {num:,} bytes at a time")
        raw = b"" if num_missing else self.file.read(self.start + offset, num)
        if len(raw) < num:
            raise UnreadableError(f"cut short: {self} ends {num_missing or num - len(raw):,} bytes too early")
        return raw

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image, the slowest axis first."""
        return self.header.axes[::-1]

    @property
    def data(self) -> NDArray[Any]:
        """A whole image in native byte order. Raises UnreadableError as `read` does, or if the HDU is none."""
        return self._pixels(self.read(0, prod(self.shape) * self._pixel_type().itemsize), self.shape)

    def rows(self, numbers: Sequence[int]) -> NDArray[Any]:
        """Some rows [n, L] of an image [N, L], in native byte order.

        Raises:
            UnreadableError: the HDU is no such image, or the file is cut short.
        """
        kind, shape = self._pixel_type(), self.shape
        last = max([0, *numbers])
        if len(shape) != 2 or last >= shape[0]:
            raise UnreadableError(f"wrong layout: {self} is of {list(shape)}, no image with a row {last}")
        num_bytes = shape[1] * kind.itemsize
        runs = [self.read(start * num_bytes, num * num_bytes) for start, num in _runs(numbers, rows_at_once(num_bytes))]
        return self._pixels(b"".join(runs), (len(numbers), shape[1]))

    def decoded(self, raw: bytes, num_rows: int) -> NDArray[Any]:
        """Some rows of an image or a table, which astropy makes of their bytes as if there were no others."""
        kind = fits.BinTableHDU if self.is_table else fits.ImageHDU
        with decoding(self):
            header = self.header.cards.copy()
            header[f"NAXIS{len(self.shape)}"], header["PCOUNT"] = num_rows, 0
            header.remove("THEAP", ignore_missing=True)
            rows: NDArray[Any] = kind.fromstring(header.tostring().encode("latin-1") + raw, uint=True).data
        return rows

    def _pixels(self, raw: bytes, shape: tuple[int, ...]) -> NDArray[Any]:
        is_scaled = any(keyword in self.header for keyword in ("BSCALE", "BZERO", "BLANK"))
        pixels = self.decoded(raw, shape[0]) if is_scaled and raw else np.frombuffer(raw, self._pixel_type())
        return pixels.reshape(shape).astype(pixels.dtype.newbyteorder("="), copy=False)

    def _pixel_type(self) -> np.dtype[Any]:
        if not self.is_image:
            raise UnreadableError(f"wrong layout: {self} is not an image")
        bits = self.header.get("BITPIX")
        if bits not in fits.BITPIX2DTYPE:
            raise UnreadableError(f"damaged FITS: {self} has BITPIX={bits}")
        kind: np.dtype[Any] = np.dtype(fits.BITPIX2DTYPE[bits]).newbyteorder(">")
        return kind


@lru_cache(maxsize=128)
def _columns(header_bytes: bytes) -> fits.ColDefs:
    """The columns that a header describes, made once for all files that have the same: it takes most of a reading."""
    return fits.BinTableHDU.fromstring(header_bytes).columns


def rows_at_once(row_bytes: int) -> int:
    """How many rows of a table or an image one reading may take: one at least."""
    return max(1, MOST_BYTES // max(1, row_bytes))


def _runs(numbers: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Rows that follow one another, as the first and how many, `most` at most."""
    breaks = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    starts = [0, *breaks] if numbers else []
    runs = zip(starts, [*breaks, len(numbers)], strict=False)
    return [(numbers[at], min(most, j - at)) for i, j in runs for at in range(i, j, most)]

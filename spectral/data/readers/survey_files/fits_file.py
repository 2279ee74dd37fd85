"""FITS files, also gzipped: headers, and of the data only the bytes that are asked for.

astropy makes an object of each card and column before it gives a number, which takes most of the time for a file of one
spectrum, and it reads whole images. What is read here is tested to be bit for bit what astropy reads.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_header import CARD, FitsHeader
from spectral.data.readers.survey_files.layout import UnreadableError

BLOCK = 2880  # bytes; headers and data are padded to it
MOST_BLOCKS = 4096  # of a header
FARTHEST = 2**62  # offset that a system takes
MOST_BYTES = 2**28  # of one reading, whatever a header asks for
GZIP_MAGIC = b"\x1f\x8b"
PIXEL_TYPES = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}


@contextmanager
def open_fits(path: Path) -> Iterator["FitsFile"]:
    """The HDUs of a file.

    Raises:
        UnreadableError: the file is no FITS file or not whole, as far as it is read within the block.
        OSError: it cannot be opened.
    """
    with path.open("rb") as raw:
        size = raw.seek(0, 2)
        if size == 0:
            raise UnreadableError("empty file")
        raw.seek(0)
        if raw.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            yield FitsFile(raw, size)
            return
        raw.seek(0)
        try:
            with gzip.open(raw) as unpacked:
                yield FitsFile(unpacked, None)  # type: ignore[arg-type]  # reads bytes as any binary file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableError(f"damaged gzip: {' '.join(str(error).split())}") from error


class Hdu:
    """A header, and the data that follow it.

    Args:
        number: its place in the file.
        start: offset of its data in bytes.
    """

    def __init__(self, fits: "FitsFile", number: int, header: FitsHeader, start: int) -> None:
        self.fits, self.number, self.header, self.start = fits, number, header, start

    @property
    def name(self) -> str:
        return str(self.header.get("EXTNAME") or ("PRIMARY" if self.number == 0 else "")).upper()

    def __str__(self) -> str:
        return f"HDU {self.number} {self.name}".rstrip()

    @property
    def num_bytes(self) -> int:
        """Of its data, before padding."""
        axes, header = self.header.axes, self.header
        if not axes:
            return 0
        return abs(self._bits) * header.count("GCOUNT", 1) * (header.count("PCOUNT", 0) + prod(axes)) // 8

    @property
    def _bits(self) -> int:
        bits = self.header.get("BITPIX")
        if not isinstance(bits, int) or bits not in PIXEL_TYPES:
            raise UnreadableError(f"damaged FITS: {self} has BITPIX={bits}")
        return bits

    @property
    def is_image(self) -> bool:
        extension = self.header.get("XTENSION", "IMAGE")
        return extension == "IMAGE" and len(self.header.axes) > 0

    @property
    def is_table(self) -> bool:
        """A compressed image is stored as a table, but is none."""
        is_binary = self.header.get("XTENSION") == "BINTABLE" and self.header.get("ZIMAGE") is not True
        return is_binary and len(self.header.axes) == 2

    def read(self, offset: int, num: int) -> bytes:
        """Some bytes of the data.

        Raises:
            UnreadableError: the file ends before them, or there are too many to be sound.
        """
        num_missing = self.fits.num_missing(self.start + offset + num)
        if num > MOST_BYTES and not num_missing:
            raise UnreadableError(f"too large: {self} asks for {num:,} bytes at a time")
        raw = b"" if num_missing else self.fits.read(self.start + offset, num)
        if len(raw) < num:
            raise UnreadableError(f"cut short: {self} ends {num_missing or num - len(raw):,} bytes too early")
        return raw

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image, the slowest axis first."""
        return self.header.axes[::-1]

    @property
    def data(self) -> NDArray[Any]:
        """A whole image. Raises UnreadableError as `read` does, or if the HDU is none."""
        kind = self._pixel_type()
        raw = self.read(0, prod(self.shape) * kind.itemsize)
        return self._scaled(np.frombuffer(raw, kind).reshape(self.shape))

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
        runs = [self.read(start * num_bytes, num * num_bytes) for start, num in _runs(numbers)]
        raw = runs[0] if len(runs) == 1 else b"".join(runs)
        return self._scaled(np.frombuffer(raw, kind).reshape(len(numbers), shape[1]))

    def _pixel_type(self) -> np.dtype[Any]:
        if not self.is_image:
            raise UnreadableError(f"wrong layout: {self} is not an image")
        return np.dtype(PIXEL_TYPES[self._bits])

    def _scaled(self, values: NDArray[Any]) -> NDArray[Any]:
        return scaled(values, self.header.get("BSCALE", 1), self.header.get("BZERO", 0))


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Rows that follow one another, as the first and how many."""
    breaks = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    starts = [0, *breaks] if numbers else []
    return [(numbers[i], j - i) for i, j in zip(starts, [*breaks, len(numbers)], strict=False)]


class FitsFile:
    """The HDUs of an open file; a header is read when it is first asked for.

    Args:
        size: in bytes; None if it is compressed, and nobody knows.
    """

    def __init__(self, file: BinaryIO, size: int | None) -> None:
        self._file, self._size = file, size
        self._hdus: list[Hdu] = []

    def __getitem__(self, which: int | str) -> Hdu:
        """Raises KeyError if there is no HDU of this number or name."""
        for hdu in self:
            if which == hdu.number or (isinstance(which, str) and which.upper() == hdu.name):
                return hdu
        raise KeyError(which)

    def __contains__(self, name: str) -> bool:
        return any(name.upper() == hdu.name for hdu in self)

    def __iter__(self) -> Iterator[Hdu]:
        number = 0
        while number < len(self._hdus) or self._read_next():
            yield self._hdus[number]
            number += 1

    def read(self, offset: int, num: int) -> bytes:
        """At most `num` bytes, fewer where the file ends."""
        if self._size is not None:
            num = min(num, self._size - offset)
        if num <= 0 or offset > FARTHEST:
            return b""
        self._file.seek(offset)
        return self._file.read(num)

    def num_missing(self, offset: int) -> int:
        """Bytes that the file has too few to reach an offset, as far as that is known."""
        return 0 if self._size is None else max(0, offset - self._size)

    def _read_next(self) -> bool:
        start = 0
        if self._hdus:
            last = self._hdus[-1]
            start = last.start + -(-last.num_bytes // BLOCK) * BLOCK
            if num_missing := self.num_missing(start):
                raise UnreadableError(f"cut short: {last} ends {num_missing:,} bytes too early")
        first = self.read(start, BLOCK)
        if start == 0 and not first.startswith(b"SIMPLE  ="):
            raise UnreadableError("not a FITS file: it does not begin with SIMPLE")
        if start > 0 and not first.startswith(b"XTENSION="):
            return False  # the end, or bytes after it that belong to no HDU
        number = len(self._hdus)
        text, num_blocks = self._header_text(start, first, f"HDU {number}")
        self._hdus.append(Hdu(self, number, FitsHeader(text, f"HDU {number}"), start + num_blocks * BLOCK))
        return True

    def _header_text(self, start: int, block: bytes, where: str) -> tuple[str, int]:
        """The cards before END, and the number of blocks of the header."""
        blocks: list[str] = []
        while len(block) == BLOCK and len(blocks) < MOST_BLOCKS:
            text = block.decode("latin-1")
            for at in range(0, BLOCK, CARD):
                if text[at : at + 8] == "END     ":
                    return "".join(blocks) + text[:at], len(blocks) + 1
            blocks.append(text)
            block = self.read(start + len(blocks) * BLOCK, BLOCK)
        raise UnreadableError(f"cut short: the header of {where} has no end")


def hdu_at(hdus: FitsFile, which: int | str, what: str) -> Hdu:
    """An HDU by number or name.

    Raises:
        UnreadableError: there is none; `what` says what was expected there.
    """
    try:
        return hdus[which]
    except KeyError:
        names = ", ".join(str(hdu) for hdu in hdus)
        raise UnreadableError(f"wrong layout: no HDU {which} with {what}, there are {names}") from None


def scaled(values: NDArray[Any], scale: object, zero: object) -> NDArray[Any]:
    """Stored values as the numbers that they stand for (FITS standard 4.0, section 5), in native byte order."""
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if not (isinstance(scale, int | float) and isinstance(zero, int | float)) or (scale, zero) == (1, 0):
        return values
    if values.dtype.kind in "iu" and scale == 1 and float(zero).is_integer():
        if zero == 2**63:  # unsigned 64 bits
            return values.view(np.uint64) ^ np.uint64(2**63)
        return values.astype(np.int64) + np.int64(zero)
    return np.asarray(values * np.float64(scale) + np.float64(zero))

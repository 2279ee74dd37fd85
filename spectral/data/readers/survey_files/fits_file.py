"""FITS files, also gzipped, by astropy: headers, and of the data only the rows that are asked for.

astropy parses headers, says how much data follows each, and decodes the bytes of some rows. Only the walk from HDU to
HDU is here, since `fits.open` makes a list as long as NAXIS says before anyone can look at it, and reads tables whole:
a damaged file that claims 10^12 bytes must not take them, and a table may be larger than memory.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from spectral.data.readers.survey_files.fits_hdu import Hdu
from spectral.data.readers.survey_files.layout import UnreadableError

BLOCK, CARD = 2880, 80  # bytes; headers and data are padded to blocks
END = b"END     "
MOST_BLOCKS = 4096  # of a header
FARTHEST = 2**62  # offset that a system takes
GZIP_MAGIC = b"\x1f\x8b"


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
        header = self._header_bytes(start, first, f"HDU {number}")
        self._hdus.append(Hdu(self, number, header, start + len(header)))
        return True

    def _header_bytes(self, start: int, block: bytes, where: str) -> bytes:
        """The blocks up to the one that holds END."""
        blocks: list[bytes] = []
        while len(block) == BLOCK and len(blocks) < MOST_BLOCKS:
            blocks.append(block)
            if any(block.startswith(END, at) for at in range(0, BLOCK, CARD)):
                return b"".join(blocks)
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

"""Arrays of NPY and NPZ files, memory-mapped.

numpy maps NPY files only. A member of an NPZ file that is stored uncompressed (numpy.savez) is an NPY file at an offset
inside the zip archive, and is mapped there; a compressed one (numpy.savez_compressed) is extracted once to a temporary
file, which goes when the process that made it ends.
"""

import math
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from spectral.errors import UserError
from spectral.files import space_errors

ZIP_HEADER_BYTES = 30  # the fixed part of a zip member's local header; APPNOTE.TXT 4.3.7
ZIP_NAME_LENGTH = slice(26, 28)  # in the local header, little-endian
ZIP_EXTRA_LENGTH = slice(28, 30)
COPY_BYTES = 2**24
MOST_PIXELS = 2**48  # along one axis; no file is larger


@dataclass(frozen=True)
class ArrayMap:
    """Where an array lies in a file; small, and sent to other processes in place of the array."""

    source: str  # for error sentences
    path: Path
    offset_bytes: int
    dtype: str
    shape: tuple[int, ...]
    order: str  # C or F

    @property
    def kind(self) -> str:
        """numpy's letter for the kind of dtype: f, i, u, b, U, S, O for Python objects, ..."""
        return np.dtype(self.dtype).kind

    def open(self) -> NDArray[Any]:
        """Read-only map of the file. An array without elements is made in memory: nothing can be mapped.

        Raises:
            UserError: the array holds Python objects, which only pickle can read.
        """
        if np.dtype(self.dtype).hasobject:
            raise UserError(f"{self.source} holds Python objects (pickle): save it as numbers or with astype(str).")
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        order: Any = self.order
        return np.memmap(self.path, self.dtype, "r", self.offset_bytes, self.shape, order)

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Some rows, in this order, read-only if they follow one another. Raises UserError as `open` does."""
        array = self.open()
        first, num = (int(numbers[0]), len(numbers)) if len(numbers) else (0, 0)
        follow_one_another = 0 <= first <= len(array) - num and (numbers == np.arange(first, first + num)).all()
        return array[first : first + num] if follow_one_another else array[numbers]  # a slice is not copied

    def values(self) -> NDArray[Any]:
        """The whole array in memory, in the machine's byte order; bytes as text."""
        values = np.array(self.open())
        if self.kind == "S":
            try:
                return np.char.decode(values, "utf-8")
            except UnicodeDecodeError as error:
                raise UserError(f"{self.source} is not UTF-8 text.") from error
        return values.astype(values.dtype.newbyteorder("="))


def map_npy(path: Path, source: str, offset_bytes: int = 0) -> ArrayMap:
    """The array of an NPY file, or of one inside another file.

    Raises:
        UserError: it is no NPY file, or is cut off.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset_bytes)
            shape, is_fortran, dtype = _read_header(file)
            start = file.tell()
        if any(size < 0 or size > MOST_PIXELS for size in shape):
            raise ValueError(f"its shape is {list(shape)}")
    except (ValueError, OverflowError) as error:
        raise UserError(f"{source} is not an NPY array: {str(error).splitlines()[0].rstrip('.')}.") from error
    # math.prod: numpy's would overflow, and a small remainder would pass.
    if not dtype.hasobject and path.stat().st_size < start + dtype.itemsize * math.prod(shape):
        raise UserError(f"{source} is cut off: the file is shorter than its array {list(shape)} of {dtype}.")
    return ArrayMap(source, path, start, dtype.str, shape, "F" if is_fortran else "C")


def map_npz(path: Path, source: str) -> dict[str, ArrayMap]:
    """The arrays of an NPZ file by name.

    Raises:
        UserError: it is no zip archive, or one of its arrays is not for `map_npy`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        return {member.filename.removesuffix(".npy"): _map_member(path, member, source) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UserError(f"{source} is not a whole NPZ file: {str(error).rstrip('.')}.") from error


def check_npz(path: Path, source: str) -> None:
    """Read what `map_npz` maps in place, whose checksums nobody has compared; an extracted array was compared.

    Raises:
        UserError: bytes of an array have changed since it was written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.compress_type == zipfile.ZIP_STORED:
                    with archive.open(member) as stored:
                        while stored.read(COPY_BYTES):
                            pass
    except (zipfile.BadZipFile, EOFError) as error:
        raise UserError(f"{source} is not a whole NPZ file: {str(error).rstrip('.')}.") from error


def _map_member(path: Path, member: zipfile.ZipInfo, source: str) -> ArrayMap:
    inside = f"'{member.filename.removesuffix('.npy')}' in {source}"
    if member.compress_type == zipfile.ZIP_STORED:
        return map_npy(path, inside, _data_offset(path, member))
    extracted = _extract(path, member.filename, path.stat().st_mtime_ns)
    return map_npy(extracted, inside)


def _data_offset(path: Path, member: zipfile.ZipInfo) -> int:
    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(ZIP_HEADER_BYTES)
    lengths = [int.from_bytes(header[part], "little") for part in (ZIP_NAME_LENGTH, ZIP_EXTRA_LENGTH)]
    return member.header_offset + ZIP_HEADER_BYTES + sum(lengths)


@contextmanager
def extracted_file(ending: str) -> Iterator[IO[bytes]]:
    """A file for what is extracted from a compressed one, which stays until the process ends.

    Raises:
        UserError: the disk is full.
    """
    with (
        space_errors(tempfile.gettempdir(), "make room, or name another folder by TMPDIR,"),
        tempfile.NamedTemporaryFile(dir=_extraction_folder().name, suffix=ending, delete=False) as plain,
    ):
        yield plain


@cache
def _extraction_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="spectral-arrays-")


@lru_cache(maxsize=64)
def _extract(path: Path, member: str, mtime_ns: int) -> Path:
    """mtime_ns shows whether an archive was rewritten since it was extracted."""
    with (
        zipfile.ZipFile(path) as archive,
        archive.open(member) as compressed,
        extracted_file(".npy") as plain,
    ):
        while block := compressed.read(COPY_BYTES):
            plain.write(block)
    return Path(plain.name)


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    if version == (1, 0):
        return npy.read_array_header_1_0(file)
    if version == (2, 0):
        return npy.read_array_header_2_0(file)
    raise ValueError(f"its format version {version} is for structured arrays")

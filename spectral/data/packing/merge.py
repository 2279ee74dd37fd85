"""From parts to the arrays of a pack, one part in memory at a time.

N spectra, C channels, L pixels after padding, n spectra and L_p pixels of a part.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from spectral.data.packing.parts import Span, part_path
from spectral.errors import UserError
from spectral.files import writing

PADDING = {"flux": 0, "ivar": 0, "mask": True}  # of the pixels beyond a spectrum's end
ABSENT = {"flux": 0, "ivar": 0, "mask": False}  # for a part without that array, if others have it


@dataclass(frozen=True)
class Contents:
    """What the parts of a survey hold, but for the arrays themselves."""

    rows: NDArray[np.int64]  # catalog rows that were kept [N]
    lengths: NDArray[np.int32]  # pixels before padding [N]
    skipped_rows: NDArray[np.int64]
    skipped_reasons: list[str]
    num_no_ivar: NDArray[np.int64]  # pixels that are bad for their inverse variance alone [N]
    shapes: dict[str, tuple[int, ...]]  # of the arrays to write: flux, and ivar and mask where something is in them


def contents_of(folder: Path, spans: list[Span], num_channels: int, grid_length: int | None) -> Contents:
    """Look through the parts in a folder; spectra are padded to `grid_length`, or None: to the longest of them."""
    rows, lengths, skipped_rows, reasons = [], [np.zeros(0, np.int32)], [], []
    no_ivar: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    names: set[str] = set()
    for part in _parts(folder, spans):
        rows.append(part["rows"])
        skipped_rows.append(part["skipped_rows"])
        reasons.extend(part["skipped_reasons"].tolist())
        names.update(part.files)
        if "lengths" in part.files:
            lengths.append(part["lengths"])
            no_ivar.append(part["num_no_ivar"])
    all_lengths = np.concatenate(lengths)
    length = grid_length or int(all_lengths.max(initial=0))
    if (all_lengths < length).any():
        names.add("mask")
    num = len(all_lengths)
    shapes = {"flux": (num, num_channels, length), "ivar": (num, num_channels, length), "mask": (num, length)}
    return Contents(
        rows=np.concatenate(rows),
        lengths=all_lengths,
        skipped_rows=np.concatenate(skipped_rows),
        skipped_reasons=reasons,
        num_no_ivar=np.concatenate(no_ivar),
        shapes={name: shape for name, shape in shapes.items() if name in names},
    )


def write_array(path: Path, name: str, contents: Contents, dtype: str, parts: Path, spans: list[Span]) -> bytes:
    """Write the array of some name from all parts as one npy file; returns a digest of its content.

    It is written, not mapped: a full disk would kill a process that writes to a map.

    Raises:
        UserError: the disk is full.
    """
    shape, digest = contents.shapes[name], hashlib.blake2b(f"{name} {contents.shapes[name]} {dtype}".encode())
    with writing(path) as file:
        header = {"descr": dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        write_array_header_1_0(file, header)
        for part in _parts(parts, spans):
            block = _padded(part, name, shape, dtype)
            digest.update(block.data)
            file.write(block.data)
    return digest.digest()


def _padded(part: NpzFile, name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """A part's array [n, ..., L_p] filled up to [n, ..., L]."""
    num = len(part["rows"])
    block = np.full((num, *shape[1:]), PADDING[name], dtype=dtype)
    if not num:
        return block
    if name in part.files:
        array = part[name]
        block[..., : array.shape[-1]] = array
    else:
        for row, length in zip(block, part["lengths"], strict=True):
            row[..., :length] = ABSENT[name]
    return block


def _parts(folder: Path, spans: list[Span]) -> Iterator[NpzFile]:
    for span in spans:
        path = part_path(folder, span)
        try:
            part = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            path.unlink(missing_ok=True)
            raise UserError(f"{path} is damaged and was removed: the same command makes it again.") from error
        with part:
            yield part

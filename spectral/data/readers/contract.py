"""What every reader of survey data provides; the packer knows readers by this alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Flux = NDArray[np.float32]


@dataclass
class Chunk:
    """Some rows as they were read, in the order asked for. C channels, L_i pixels in row i.

    A row that could not be read has None for its flux and its reason in `problems`.
    """

    flux: list[Flux | None]  # one array [C, L_i] a row
    ivar: list[Flux] | None = None  # inverse variance, [C, L_i] a row
    mask: list[NDArray[np.bool_]] | None = None  # [L_i] a row; True if the pixel is bad
    wave_angstrom: list[NDArray[np.float64]] | None = None  # [L_i] a row, where spectra have wavelengths of their own
    problems: dict[int, str] = field(default_factory=dict)  # position in this chunk -> reason


class Reader(Protocol):
    """A survey as its source holds it. Instances are pickled to the packing processes, so they stay small.

    A reader may also have
    - `class_names`, which it proposes;
    - `wave_unit`, in which its source gives wavelengths;
    - `wave_medium`, "vacuum" or "air", for the wavelengths that it returns;
    - `wave_per_row`, which is true if each chunk has wavelengths: `data.grid` is then needed;
    - `known_bad()`, the rows [N] of its catalog of which it knows, with no file opened, that they cannot be read;
    - `unread_files`, once its catalog is read: a word for the files that the system did not give out, so that rows may
      come to mean other spectra although the source is the same; empty if there are none;
    - `change_by(path)`: the end of a sentence, if a file that is written there would be data of the survey, or a change
      of it; otherwise empty;
    - `reads_slowly`, which is true if a spectrum takes about as long to read as to classify;
    - `num_rows()` and `catalog_rows(rows)`, if its catalog is made row by row and need not be in memory as a whole.
    """

    def catalog(self) -> pd.DataFrame:
        """One row per spectrum, in reading order.

        Columns: `id` (text), `label` (text, missing if unknown), and what the source offers of `split`
        (train/validation/test), `group` (object that several spectra share), `snr`, `redshift`, and others.
        """
        ...

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        """The wavelength of each pixel [L], or None if the source has none."""
        ...

    def fingerprint(self) -> str:
        """A digest that changes when the source changes, cheap enough to ask at every start."""
        ...

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        """Read these catalog rows. A bad row is reported in the chunk, never raised."""
        ...

    def settings(self) -> Mapping[str, object]:
        """The options that shape the pack, as JSON values; they name its cache folder."""
        ...


def read_rows(reader: Reader, rows: NDArray[np.int64]) -> Chunk:
    """The chunk of these catalog rows.

    Raises:
        ValueError: the reader gives more or fewer spectra than rows, so that they would be taken for one another.
    """
    chunk = reader.read(rows)
    for name in ("flux", "ivar", "mask", "wave_angstrom"):
        values = getattr(chunk, name)
        if values is not None and len(values) != len(rows):
            raise ValueError(
                f"{type(reader).__name__}.read gives {len(values)} elements of {name} for {len(rows)} rows: it must "
                "give one for each row, and None for the flux of a row that cannot be read."
            )
    return chunk


def place_of(reader: Reader, row: int) -> str | None:
    """The file of a catalog row and its position there, for messages; None if the reader has no method `place`."""
    place: Callable[[int], str | None] | None = getattr(reader, "place", None)
    return None if place is None else place(row)


def known_bad_rows(reader: Reader) -> NDArray[np.bool_] | None:
    """Rows [N] of a reader's catalog that cannot be read, as far as it knows; None if it has no method `known_bad`."""
    known_bad: Callable[[], NDArray[np.bool_] | None] | None = getattr(reader, "known_bad", None)
    return None if known_bad is None else known_bad()

"""A reader around another one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.contract import Chunk, Reader, known_bad_rows, place_of


@dataclass
class WrappedReader:
    """The spectra of a reader; a subclass changes some of what it gives."""

    reader: Reader

    def __post_init__(self) -> None:
        self.class_names = getattr(self.reader, "class_names", None)
        self.wave_unit = getattr(self.reader, "wave_unit", None)
        self.wave_medium = getattr(self.reader, "wave_medium", None)

    def catalog(self) -> pd.DataFrame:
        return self.reader.catalog()

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        return self.reader.wave_angstrom()

    def fingerprint(self) -> str:
        return self.reader.fingerprint()

    def settings(self) -> Mapping[str, object]:
        return self.reader.settings()

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        return self.reader.read(rows)

    def place(self, row: int) -> str | None:
        return place_of(self.reader, row)

    def known_bad(self) -> NDArray[np.bool_] | None:
        return known_bad_rows(self.reader)

    @property
    def unread_files(self) -> str:
        unread: str = getattr(self.reader, "unread_files", "")
        return unread

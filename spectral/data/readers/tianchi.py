"""The layout of the Tianchi contest: an index CSV `id,type` and one text file `<id>.txt` a spectrum."""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.columns import log_columns, tidy_catalog
from spectral.data.readers.contract import Chunk, Flux
from spectral.data.readers.csv_table import read_table
from spectral.data.readers.fingerprints import file_stamp, folder_stamp, join_stamps
from spectral.data.readers.paths import existing_file, existing_folder, refuse_fits_folder
from spectral.data.readers.text import parse_numbers
from spectral.errors import UserError


class TianchiReader:
    """Reads text files of comma-separated numbers, one spectrum of one channel each.

    Args:
        index: CSV with a column of ids and, unless it is for prediction, one of labels; others go to the catalog.
        folder: holds the file of each id.
        suffix: what follows the id in a file's name.
        wrapped: whether a spectrum may run over several lines of several numbers each; such files are otherwise bad,
            since they may as well hold a column of wavelengths and one of flux.
        id_key, label_key, group_key: the index's columns, where they do not have the usual names.

    Raises:
        UserError: the index or the folder is not there.
    """

    def __init__(
        self,
        index: str,
        folder: str,
        suffix: str = ".txt",
        id_key: str | None = "id",
        label_key: str | None = None,
        group_key: str | None = None,
        wrapped: bool = False,
    ) -> None:
        self.index = existing_file(index, "data.index")
        self.folder = existing_folder(folder, "data.folder")
        self.suffix, self.wrapped = suffix, wrapped
        self.keys = {"id_key": id_key, "label_key": label_key, "group_key": group_key}

    def catalog(self) -> pd.DataFrame:
        """Raises UserError for an index that cannot be used, or when the folder has no file of any id in it."""
        source = f"data.index={self.index}"
        table = read_table(self.index, self.keys, source)
        catalog = tidy_catalog(table, self.keys, source)
        if not self._are_there(catalog["id"]).any():
            refuse_fits_folder(str(self.folder), "data.folder")
            raise UserError(
                f"data.folder={self.folder} has none of the {len(catalog)} files that {source} asks for, "
                f"of which the first is {catalog['id'].iloc[0]}{self.suffix}."
            )
        log_columns(source, table.columns, catalog, self.keys, f"the files {self.folder}/ID{self.suffix}")
        return catalog

    def _are_there(self, ids: pd.Series) -> pd.Series:
        """Whether the folder has a file of each id; only those in a folder below it are not seen."""
        with os.scandir(self.folder) as entries:
            names = {entry.name for entry in entries}
        return (ids + self.suffix).map(names.__contains__).astype(bool)  # not isin, whose names are UTF-8

    def known_bad(self) -> NDArray[np.bool_]:
        ids = pd.Series(self._ids(), dtype="str")
        bad: NDArray[np.bool_] = ~(self._are_there(ids) | ids.str.contains("/", regex=False)).to_numpy(bool)
        return bad

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        return None  # the contest gives none

    def fingerprint(self) -> str:
        return join_stamps([file_stamp(self.index), folder_stamp(self.folder, self.suffix)])

    def settings(self) -> Mapping[str, object]:
        return {
            "index": str(self.index.resolve()),
            "folder": str(self.folder.resolve()),
            "suffix": self.suffix,
            **self.keys,
            **({"wrapped": True} if self.wrapped else {}),
        }

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        ids = self._ids()
        chunk = Chunk(flux=[])
        for position, row in enumerate(rows):
            name = f"{ids[row]}{self.suffix}"
            try:
                chunk.flux.append(self._spectrum((self.folder / name).read_bytes()))
            except (OSError, ValueError) as error:
                chunk.flux.append(None)
                chunk.problems[position] = _reason(error, name)
        return chunk

    def _ids(self) -> list[str]:
        return _ids(self.index, tuple(self.keys.items()), self.index.stat().st_mtime_ns)

    def _spectrum(self, raw: bytes) -> Flux:
        lines = raw.split(b"\n") if b"\n" in raw.strip() and not self.wrapped else []
        if sum(len(line.replace(b",", b" ").split()) > 1 for line in lines) > 1:
            # As likely columns of wavelength and flux.
            raise ValueError("several numbers on each of several lines: data.wrapped=true reads them in turn")
        return parse_numbers(raw)[None, :]


@lru_cache(maxsize=2)
def _ids(index: Path, keys: tuple[tuple[str, str | None], ...], mtime_ns: int) -> list[str]:
    """Ids in reading order, read once a process: a reader that carried them would be large to send to processes."""
    source = f"data.index={index}"
    return list(tidy_catalog(read_table(index, dict(keys), source), dict(keys), source)["id"])


def _reason(error: OSError | ValueError, name: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"missing file: {name}"
    return f"unreadable file: {name}: {error.strerror}" if isinstance(error, OSError) else str(error)

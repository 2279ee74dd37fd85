"""Flux arrays [N, L] or [N, C, L], each row a spectrum, next to arrays or a CSV of what is known of the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.arrays.array_map import ArrayMap, map_npy, map_npz
from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.columns import find_columns, tidy_catalog
from spectral.data.readers.contract import Chunk, Flux
from spectral.data.readers.csv_table import read_table
from spectral.data.readers.fingerprints import file_stamp, join_stamps
from spectral.data.readers.paths import existing_file
from spectral.errors import UserError, nearest

USUAL_KEYS = {"flux": ("flux",), "wave": ("wave", "wavelength"), "ivar": ("ivar",), "mask": ("mask",)}


@dataclass(frozen=True)
class ArrayReader:
    """An NPY file of flux with a CSV of labels, or an NPZ file with both.

    N spectra, C channels, L pixels. In an NPZ file are flux [N, L] or [N, C, L] and, optional, wave [L] in Angstrom,
    ivar as flux, mask [N, L] (true: bad), and arrays [N] that become the catalog's columns.
    """

    path: Path
    key: str  # the config option that names the path
    options: ArrayOptions

    @property
    def source(self) -> str:
        return f"{self.key}={self.path}"

    @cached_property
    def arrays(self) -> dict[str, ArrayMap]:
        if self.path.suffix.lower() == ".npy":
            return {self.options.flux_key or "flux": map_npy(self.path, self.source)}
        return map_npz(self.path, self.source)

    @cached_property
    def names(self) -> dict[str, str]:
        """Part (flux, wave, ivar, mask) -> its name in the file."""
        found = {}
        for part, usual in USUAL_KEYS.items():
            wanted = getattr(self.options, f"{part}_key")
            if wanted and wanted not in self.arrays:
                raise UserError(f"{self.source} has no '{wanted}' (data.{part}_key): {nearest(wanted, self.arrays)}.")
            if name := wanted or next((name for name in usual if name in self.arrays), None):
                found[part] = name
        return found if "flux" in found else {"flux": self._only_matrix(), **found}

    def _only_matrix(self) -> str:
        matrices = [name for name, array in self.arrays.items() if len(array.shape) in (2, 3)]
        if len(matrices) != 1:
            raise UserError(f"{self.source} has no 'flux', name it by data.flux_key: {nearest('flux', self.arrays)}.")
        return matrices[0]

    @cached_property
    def flux(self) -> ArrayMap:
        flux = self.arrays[self.names["flux"]]
        if len(flux.shape) not in (2, 3) or 0 in flux.shape[1:]:
            raise UserError(f"The flux in {self.source} has shape {list(flux.shape)}, not [N, L] or [N, C, L].")
        if flux.kind not in "fiub":
            raise UserError(f"The flux in {self.source} holds {np.dtype(flux.dtype)}, not real numbers.")
        self._check_beside(flux)
        return flux

    def _check_beside(self, flux: ArrayMap) -> None:
        num, length = flux.shape[0], flux.shape[-1]
        wanted: dict[str, tuple[int, ...]] = {"wave": (length,), "ivar": flux.shape, "mask": (num, length)}
        for part, shape in wanted.items():
            if (name := self.names.get(part)) and self.arrays[name].shape != shape:
                found = list(self.arrays[name].shape)
                raise UserError(f"'{name}' in {self.source} has shape {found}: for its flux it must be {list(shape)}.")

    def catalog(self) -> pd.DataFrame:
        """Raises UserError for files that do not fit together."""
        num = self.flux.shape[0]
        given = self.options.catalog_keys
        if self.options.labels is not None:
            path, source = existing_file(self.options.labels, "data.labels"), f"data.labels={self.options.labels}"
            table = read_table(path, given, source)
            if len(table) != num:
                raise UserError(f"{source} has {len(table)} rows, but {self.source} has {num} spectra.")
            return tidy_catalog(table, given, source)
        return tidy_catalog(self._columns(num), given, self.source)

    def _columns(self, num: int) -> pd.DataFrame:
        """The arrays [N] next to the flux; others than the catalog's own only if they are plain numbers or text."""
        beside = {name: array for name, array in self.arrays.items() if name not in self.names.values()}
        roles = find_columns(beside, self.options.catalog_keys, self.source)
        for name in roles:
            if (shape := beside[name].shape) != (num,):
                raise UserError(f"'{name}' in {self.source} has shape {list(shape)}, but there are {num} spectra.")
        plain = {name for name, array in beside.items() if array.shape == (num,) and array.kind in "fiubUS"}
        return pd.DataFrame({name: beside[name].values() for name in beside if name in plain | set(roles)}, range(num))

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        if "wave" not in self.names:
            return None
        return self.arrays[self.names["wave"]].values().astype(np.float64)

    def fingerprint(self) -> str:
        return join_stamps(file_stamp(path) for path in (self.path, self.options.labels) if path)

    def settings(self) -> Mapping[str, object]:
        return {"path": str(self.path.resolve()), **self.options.settings()}

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        flux = self._floats("flux", rows)
        chunk = Chunk(flux=list(flux))
        if "ivar" in self.names:
            chunk.ivar = list(self._floats("ivar", rows))
        if "mask" in self.names:
            chunk.mask = list(self.arrays[self.names["mask"]].open()[rows] != 0)
        return chunk

    def _floats(self, part: str, rows: NDArray[np.int64]) -> Flux:
        """[n, C, L]"""
        with np.errstate(over="ignore"):  # beyond float32 is inf, which the packer reports
            values = self.arrays[self.names[part]].open()[rows].astype(np.float32)
        return values[:, None, :] if values.ndim == 2 else values

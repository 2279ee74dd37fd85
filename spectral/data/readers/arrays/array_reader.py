"""Flux arrays [N, L] or [N, C, L], each row a spectrum, next to arrays or a CSV of what is known of the rows."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.configs.array_files import FITS, HDF5
from spectral.data.ivar import float32_ivar
from spectral.data.readers.arrays.array_map import check_npz, map_npy, map_npz
from spectral.data.readers.arrays.fits_map import WAVE_NAMES, map_fits
from spectral.data.readers.arrays.fits_units import stated_unit
from spectral.data.readers.arrays.hdf5_map import map_hdf5
from spectral.data.readers.arrays.labels import in_order_of_spectra, read_labels, stamps_of_join
from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.arrays.stored_array import StoredArray
from spectral.data.readers.arrays.wave_axis import warn_of_medium
from spectral.data.readers.columns import NUMBERED, POSSIBLE_IDS, among, find_columns, log_columns, tidy_catalog
from spectral.data.readers.contract import Chunk, Flux
from spectral.data.readers.fingerprints import file_stamp, join_stamps
from spectral.data.readers.survey_files.fits_columns import exact_column
from spectral.data.wavelengths import to_angstrom
from spectral.errors import UserError

log = logging.getLogger(__name__)

LEAST_LIKELY_ANGSTROM = 1000.0  # a grid that ends below is more likely in nm or um
USUAL_KEYS = {"flux": ("flux",), "wave": WAVE_NAMES, "ivar": ("ivar",), "mask": ("mask",)}  # in lower case
LOG_WAVE = "loglam"  # SDSS's name for log10 of wavelengths


@dataclass(frozen=True)
class ArrayReader:
    """An NPY file of flux with a CSV of labels; or an NPZ, HDF5 or FITS file with both.

    N spectra, C channels, L pixels. In a file of arrays are flux [N, L] or [N, C, L] and, optional, wave [L] or [N, L]
    in Angstrom (or in options.wave_unit), ivar as flux, mask [N, L] (true: bad), and arrays [N] that become the
    catalog's columns. With options.channels_last flux and ivar are [N, L, C].
    """

    path: Path
    key: str  # the config option that names the path
    options: ArrayOptions

    @property
    def source(self) -> str:
        return f"{self.key}={self.path}"

    @cached_property
    def arrays(self) -> dict[str, StoredArray]:
        name = self.path.name.lower()
        if name.endswith(".npy"):
            return {self.options.flux_key or "flux": map_npy(self.path, self.source)}
        if name.endswith(HDF5):
            return map_hdf5(self.path, self.source)
        if name.endswith(FITS):
            return map_fits(self.path, self.source, self.options.flux_key)
        return {**map_npz(self.path, self.source)}

    def _name_of(self, wanted: str | None) -> str | None:
        """The array that the user named, also by its path within the file."""
        if wanted is None or wanted in self.arrays:
            return wanted
        full = {getattr(array, "full_name", name): name for name, array in self.arrays.items()}
        return full.get(wanted.strip("/"), wanted)

    @cached_property
    def catalog_keys(self) -> dict[str, str | None]:
        return {key: self._name_of(name) for key, name in self.options.catalog_keys.items()}

    @cached_property
    def names(self) -> dict[str, str]:
        """Part (flux, wave, ivar, mask) -> its name in the file."""
        found, lower = {}, {name.lower(): name for name in reversed(self.arrays)}
        for part, usual in USUAL_KEYS.items():
            wanted = self._name_of(getattr(self.options, f"{part}_key"))
            if wanted and wanted not in self.arrays:
                raise UserError(f"{self.source} has no '{wanted}' (data.{part}_key): {among(wanted, self.arrays)}.")
            if name := wanted or next((lower[name] for name in usual if name in lower), None):
                found[part] = name
        return found if "flux" in found else {"flux": self._only_matrix(), **found}

    def _only_matrix(self) -> str:
        matrices = [name for name, array in self.arrays.items() if len(array.shape) in (2, 3)]
        if len(matrices) != 1:
            raise UserError(
                f"{self.source} has no 'flux', name it by data.flux_key: {among('flux', self.arrays)}{self._hint}."
            )
        return matrices[0]

    @property
    def _hint(self) -> str:
        """For FITS files that hold something else than a row for each spectrum."""
        if not self.path.name.lower().endswith(FITS):
            return ""
        return "; a file of a single spectrum is read by data=lamost, data=sdss or data=desi"

    @cached_property
    def flux(self) -> StoredArray:
        flux = self.arrays[self.names["flux"]]
        if len(flux.shape) not in (2, 3) or 0 in flux.shape[1:]:
            raise UserError(f"The flux in {self.source} has shape {list(flux.shape)}, not [N, L] or [N, C, L].")
        if flux.kind not in "fiub":
            raise UserError(f"The flux in {self.source} holds {np.dtype(flux.dtype)}, not real numbers.")
        self._check_channels(flux.shape)
        self._check_shapes(flux)
        return flux

    @property
    def channels_last(self) -> bool:
        return bool(self.options.channels_last)

    def _check_channels(self, shape: tuple[int, ...]) -> None:
        if len(shape) == 3 and self.options.channels_last is None and shape[1] > shape[2]:
            raise UserError(
                f"The flux in {self.source} has shape {list(shape)}, that is [N, C, L] with {shape[1]} channels of "
                f"{shape[2]} pixels: data.channels_last=true reads it as [N, L, C], false as it stands."
            )
        if len(shape) == 2 and self.channels_last:
            raise UserError(f"data.channels_last=true needs flux [N, L, C]: in {self.source} it is {list(shape)}.")

    def _check_shapes(self, flux: StoredArray) -> None:
        num, length = flux.shape[0], flux.shape[1 if self.channels_last else -1]
        wanted: dict[str, list[tuple[int, ...]]] = {
            "wave": [(length,), (num, length)],
            "ivar": [flux.shape],
            "mask": [(num, length)],
        }
        for part, shapes in wanted.items():
            if (name := self.names.get(part)) and self.arrays[name].shape not in shapes:
                found, must = list(self.arrays[name].shape), " or ".join(str(list(shape)) for shape in shapes)
                raise UserError(f"'{name}' in {self.source} has shape {found}: for its flux it must be {must}.")
            if name and part != "wave" and (array := self.arrays[name]).kind not in "fiub":
                raise UserError(f"'{name}' in {self.source} holds {np.dtype(array.dtype)}, not real numbers.")

    def catalog(self) -> pd.DataFrame:
        """Raises UserError for files that do not fit together, or are damaged as far as that can be seen."""
        if self.path.name.lower().endswith(".npz"):
            check_npz(self.path, self.source)
        num, given = self.flux.shape[0], self.catalog_keys
        flux = f"{self.names['flux']} {list(self.flux.shape)}"
        if self.options.labels is None:
            table = self._columns(num)
            catalog = tidy_catalog(table, given, self.source)
            log_columns(self.source, self._other_arrays, catalog, given, flux)
            return catalog
        (table, labels), source = read_labels(self.options.labels, given), f"data.labels={self.options.labels}"
        log_columns(f"{self.source} and {source}", table.columns, labels, given, flux)
        own, id_key = self._own_ids(num), given["id_key"]
        return in_order_of_spectra(labels, table.columns, own, num, source, self.source, id_key)

    def _own_ids(self, num: int) -> pd.Series | None:
        """The ids that stand next to the flux, under the name of their array; None if there are none."""
        others, names = self._other_arrays, self._id_arrays
        if names and (shape := others[names[0]].shape) != (num,):
            raise UserError(f"'{names[0]}' in {self.source} has shape {list(shape)}, but there are {num} spectra.")
        table = pd.DataFrame({name: exact_column(others[name].values()) for name in names}, range(num))
        found = tidy_catalog(table, self._own_id_key, self.source)
        if found.attrs[NUMBERED]:
            return None
        return found["id"].rename(next((name for name in names if name not in found), names[0]))

    @property
    def _own_id_key(self) -> dict[str, str | None]:
        """data.id_key, if it names an array and not a column of data.labels alone."""
        wanted = self.catalog_keys["id_key"]
        return {"id_key": wanted if wanted in self._other_arrays else None}

    @cached_property
    def _id_arrays(self) -> list[str]:
        """The array of ids; without one, those of other usual names, which hold ids if no two spectra share one."""
        found = find_columns(self._other_arrays, self._own_id_key, self.source)
        named = [name for name, role in found.items() if role == "id"]
        return named or [name for name in self._plain if name.lower() in POSSIBLE_IDS]

    @property
    def _plain(self) -> list[str]:
        """The other arrays [N] that are plain numbers or text."""
        shape, others = self.flux.shape[:1], self._other_arrays
        return [name for name, array in others.items() if array.shape == shape and array.kind in "fiubUS"]

    @property
    def _other_arrays(self) -> dict[str, StoredArray]:
        """The arrays that are not flux, wave, ivar or mask."""
        return {name: array for name, array in self.arrays.items() if name not in self.names.values()}

    def _columns(self, num: int) -> pd.DataFrame:
        """The arrays [N] next to the flux; others than the catalog's own only if they are plain numbers or text."""
        others = self._other_arrays
        roles = find_columns(others, self.catalog_keys, self.source)
        for name in roles:
            if (shape := others[name].shape) != (num,):
                raise UserError(f"'{name}' in {self.source} has shape {list(shape)}, but there are {num} spectra.")
        kept = [name for name in others if name in {*self._plain, *roles}]
        return pd.DataFrame({name: exact_column(others[name].values()) for name in kept}, range(num))

    @cached_property
    def wave_unit(self) -> str | None:
        """That of data.wave_unit, else the one that the file states, else Angstrom; None without wavelengths."""
        if "wave" not in self.names:
            return None
        return self.options.wave_unit or self._stated_wave_unit or "angstrom"

    @cached_property
    def _stated_wave_unit(self) -> str | None:
        """The unit in a FITS file. `loglam` is log10 of Angstrom, whatever unit a logarithm is given."""
        wave = self.arrays[self.names["wave"]]
        unit = getattr(wave, "unit", None)
        return None if unit is None or self._is_log_wave else stated_unit(unit, f"The wavelengths in {self.source}")

    @property
    def wave_medium(self) -> str | None:
        return None if self.options.wave_medium is None else "vacuum"

    @cached_property
    def wave_per_row(self) -> bool:
        return "wave" in self.names and len(self.arrays[self.names["wave"]].shape) == 2

    @cached_property
    def _has_wave(self) -> bool:
        """Raises UserError if there are no wavelengths, but data.wave_unit is given."""
        if "wave" in self.names:
            return True
        if self.options.wave_unit:
            raise UserError(f"data.wave_unit={self.options.wave_unit} has no wavelengths: {self.source} has no wave.")
        warn_of_medium(self.options.wave_medium, self.source)
        return False

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        if not self._has_wave:
            return None
        wave = self.arrays[self.names["wave"]]
        if wave.kind not in "fiu":
            raise UserError(f"{wave.source} holds {np.dtype(wave.dtype)}, not wavelengths.")
        if self.wave_per_row:
            return None
        values = self._linear(wave.values())
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise UserError(f"{wave.source} holds numbers that are no wavelengths: all must be positive.")
        is_a_guess = self.options.wave_unit is None and self._stated_wave_unit is None
        if is_a_guess and values.max() < LEAST_LIKELY_ANGSTROM:
            log.warning(
                "%s, %g to %g, is taken for Angstrom: data.wave_unit names another unit.",
                wave.source,
                values.min(),
                values.max(),
            )
        return self._angstrom(values)

    def _linear(self, values: NDArray[Any]) -> NDArray[np.float64]:
        return 10 ** values.astype(np.float64) if self._is_log_wave else values.astype(np.float64)

    @property
    def _is_log_wave(self) -> bool:
        return self.names["wave"].rpartition("/")[2].lower() == LOG_WAVE

    def _angstrom(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return to_angstrom(values, self.wave_unit or "angstrom", self.options.wave_medium)

    def fingerprint(self) -> str:
        stamps = [file_stamp(path) for path in (self.path, self.options.labels) if path]
        if self.options.labels and not self._own_id_key["id_key"]:
            stamps += stamps_of_join(self._own_ids(self.flux.shape[0]), self.options.labels, self.catalog_keys)
        return join_stamps(stamps)

    def settings(self) -> Mapping[str, object]:
        settings = {"path": str(self.path.resolve()), **self.options.settings()}
        # Earlier versions took all of these for Angstrom: what they packed is packed again.
        is_stated = self.path.name.lower().endswith(FITS) and self.wave_unit not in (None, "angstrom")
        return settings | ({"wave_unit": self.wave_unit} if is_stated else {})

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        flux = self._floats("flux", rows)
        chunk = Chunk(flux=list(flux))
        if "ivar" in self.names:
            chunk.ivar = list(self._floats("ivar", rows))
        if "mask" in self.names:
            chunk.mask = list(self.arrays[self.names["mask"]].rows(rows) != 0)
        if self.wave_per_row:
            waves = self.arrays[self.names["wave"]].rows(rows)
            chunk.wave_angstrom = [self._angstrom(self._linear(wave)) for wave in waves]
        return chunk

    def _floats(self, part: str, rows: NDArray[np.int64]) -> Flux:
        """[n, C, L]"""
        stored = self.arrays[self.names[part]].rows(rows)
        with np.errstate(over="ignore"):  # flux beyond float32 is inf, which the packer reports
            values = float32_ivar(stored) if part == "ivar" else stored.astype(np.float32, copy=False)
        if self.channels_last:
            return np.ascontiguousarray(np.swapaxes(values, 1, 2))
        return values[:, None, :] if values.ndim == 2 else values

"""Spectra of the Multimodal Universe: HDF5 files in folders `healpix=NNN`, or Parquet files as its hub has them.

Layout: https://github.com/MultimodalUniverse/MultimodalUniverse, scripts/desi and scripts/sdss. HDF5 has the datasets
object_id [N], spectrum_flux, _ivar, _lambda, _mask [N, L], and catalog columns [N]. Parquet has a column `spectrum` of
flux, ivar, lambda and mask, and catalog columns. A mask is true where a pixel is bad. Wavelengths are in vacuum.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spectral.data.readers.hdf5_file import open_hdf5, rows_of, sound
from spectral.data.readers.parquet_stream import parquet_stream
from spectral.data.readers.survey_files.fits_values import float32
from spectral.data.readers.survey_files.layout import Entry, Spectrum, UnreadableError
from spectral.data.readers.survey_files.mmu_columns import hdf5_columns, parquet_columns, parquet_damage

PARTS = ("flux", "ivar", "lambda", "mask", "lambda_min", "lambda_max")
SDSS_STEP = 1e-4  # of log10 of the wavelength
ROLES = {
    "id": ("object_id",),
    "label": ("spectype", "class", "label", "type"),
    "redshift": ("redshift", "z"),
    "snr": ("snr", "sn_median_all"),
    "ra_deg": ("ra",),
    "dec_deg": ("dec",),
    "zwarn": ("zwarn", "zwarning"),
}


class MultimodalUniverseLayout:
    """Many spectra a file.

    Args:
        keys: columns that the user has named, which are taken along.
    """

    name = "multimodal_universe"
    endings = (".hdf5", ".h5", ".parquet")
    has_ivar = True
    many_per_file = True
    version = 2
    usual_names = ROLES | {"id": ("object_id", "targetid", "specobjid")}  # the surveys' own in their catalogs
    file_name_columns = ()

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self.keys = tuple(keys)

    def file_name(self) -> str:
        raise NotImplementedError("a catalog has no columns that name files")

    def entries(self, path: Path) -> list[Entry]:
        columns = self._columns(path)
        lower = {name.lower(): name for name in columns}
        roles = {role: next((lower[n] for n in usual if n in lower), None) for role, usual in ROLES.items()}
        if roles["id"] is None:
            raise UnreadableError("wrong layout: no object_id")
        entries: dict[str, list[object]] = {role: columns[name] for role, name in roles.items() if name is not None}
        entries["id"] = [_id(value) for value in entries["id"]]
        entries |= {name: columns[name] for name in self.keys if name in columns and name not in entries}
        return [dict(zip(entries, row, strict=True)) for row in zip(*entries.values(), strict=True)]

    def _columns(self, path: Path) -> dict[str, list[object]]:
        wanted = {name for usual in ROLES.values() for name in usual} | {key.lower() for key in self.keys}
        return parquet_columns(path, wanted) if path.suffix.lower() == ".parquet" else hdf5_columns(path, wanted)

    def read(self, path: Path, indices: Sequence[int]) -> Sequence[Spectrum | UnreadableError]:
        return _of_parquet(path, indices) if path.suffix.lower() == ".parquet" else _of_hdf5(path, indices)


def _id(value: object) -> str:
    """Ids that were written as bytes are on the hub as the text b'...'."""
    text = str(value).strip()
    return text[2:-1].strip() if text[:2] in ("b'", 'b"') else text


def _of_hdf5(path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
    with open_hdf5(path) as file:
        there = {part: file[f"spectrum_{part}"] for part in PARTS if f"spectrum_{part}" in file}
        if missing := [part for part in ("flux", "ivar") if part not in there]:
            raise UnreadableError(f"wrong layout: no dataset spectrum_{missing[0]}, there are {', '.join(file)}")
        num = len(there["flux"])
        if other := [part for part, dataset in there.items() if dataset.shape[:1] != (num,)]:
            shape = list(there[other[0]].shape)
            raise UnreadableError(f"wrong layout: spectrum_{other[0]} is of {shape}, spectrum_flux has {num} rows")
        if max(indices, default=0) >= num:
            raise UnreadableError(f"wrong layout: {num} spectra, none for number {max(indices)}")
        columns = {part: rows_of(sound(dataset), indices) for part, dataset in there.items()}
    return [_spectrum({part: rows[i] for part, rows in columns.items()}) for i in range(len(indices))]


def _of_parquet(path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
    with parquet_damage():
        stream = parquet_stream(path, ("spectrum",), _struct_rows, path.stat().st_mtime_ns)
        return [stream.spectrum(index) for index in indices]


def _struct_rows(batch: pa.RecordBatch) -> list[Spectrum | UnreadableError]:
    """Cells of a struct of lists, or of a list of structs."""
    return [_struct(cell) if cell.is_valid else UnreadableError("no spectrum") for cell in batch.column(0)]


def _struct(cell: Any) -> Spectrum | UnreadableError:
    if pa.types.is_struct(cell.type):
        fields = {field.name: cell[field.name] for field in cell.type}
        values = {name: getattr(value, "values", value) for name, value in fields.items()}
    else:
        array = cell.values
        values = {field.name: array.field(field.name) for field in array.type}
    return _spectrum({name: _flat(value) for name, value in values.items() if name in PARTS})


def _flat(values: Any) -> NDArray[Any]:
    """Numbers [L], also of cells [L][1]."""
    if isinstance(values, pa.Scalar):
        return np.asarray(values.as_py())
    while values is not None and pa.types.is_nested(values.type):
        values = values.flatten()
    return np.zeros(0) if values is None else np.asarray(values.to_numpy(zero_copy_only=False))


def _spectrum(parts: Mapping[str, Any]) -> Spectrum | UnreadableError:
    arrays = {part: np.asarray(parts[part]) for part in PARTS if part in parts}
    for part, array in arrays.items():
        if array.dtype.kind not in "fiub":
            return UnreadableError(f"{part} holds {array.dtype}, not numbers")
    arrays = {part: array.reshape(-1) if part in ("flux", "ivar", "mask") else array for part, array in arrays.items()}
    if missing := [part for part in ("flux", "ivar") if part not in arrays]:
        return UnreadableError(f"no {missing[0]}")
    flux, wave = arrays["flux"], _wave(arrays)
    if wave is None:
        return UnreadableError("no wavelengths: neither lambda nor lambda_min and lambda_max")
    for part, array in (("ivar", arrays["ivar"]), ("lambda", wave), ("mask", arrays.get("mask", flux))):
        if array.shape != flux.shape:
            return UnreadableError(f"{part} of wrong shape: {list(array.shape)}, the flux has {list(flux.shape)}")
    real = np.isfinite(wave) & (wave > 0)  # spectra of one file are padded to one length
    mask = arrays["mask"][real] != 0 if "mask" in arrays else None
    return Spectrum(float32(flux[real]), wave[real], float32(arrays["ivar"][real]), mask)


def _wave(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64] | None:
    """Wavelengths [L]. Early versions give the first and the last, of steps as SDSS has them or of equal ones."""
    if "lambda" in arrays:
        return arrays["lambda"].reshape(-1).astype(np.float64)
    if "lambda_min" not in arrays or "lambda_max" not in arrays:
        return None
    length = len(arrays["flux"])
    low, high = (np.float64(arrays[part].reshape(-1)[0]) for part in ("lambda_min", "lambda_max"))
    is_log = length > 1 and 0 < low < high and np.isclose(np.log10(high / low), SDSS_STEP * (length - 1), rtol=1e-3)
    return np.geomspace(low, high, length) if is_log else np.linspace(low, high, length)

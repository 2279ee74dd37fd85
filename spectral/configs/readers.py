"""Readers of users' own data: the contest's layout, and arrays in one or two files."""

from dataclasses import dataclass, field
from typing import Optional

from spectral.configs.data import DataConfig, readers
from spectral.configs.fields import choice, must_exist
from spectral.errors import UserError

WAVE_UNITS = ("angstrom", "nm", "um", "m", "cm-1")
WAVE_MEDIA = ("vacuum", "air")


@readers.register("spectral.data.readers.tianchi:TianchiReader")
@dataclass
class TianchiConfig(DataConfig):
    """An index CSV and one text file of comma-separated numbers a spectrum."""

    name: str = "tianchi"
    index: str = must_exist("", "spectra")  # CSV `id,type`, or `id` alone for prediction
    folder: str = must_exist("", "folder")  # holds <id><suffix> for each id of the index
    suffix: str = ".txt"  # of the file of a spectrum, behind its id
    wrapped: bool = False  # whether a spectrum runs over several lines of several numbers each
    id_key: str = "id"  # the index's column of ids
    label_key: Optional[str] = None  # its column of labels; null: label, type, class, target or y, if there is one
    group_key: Optional[str] = None  # its column of the object that several spectra share; null: group


@readers.register("spectral.data.readers.arrays.opening:open_arrays")
@dataclass
class ArraysConfig(DataConfig):
    """Spectra as arrays, by the file's suffix: .npz, .npy, .h5, .hdf5, .fits, .fits.gz, .parquet, .csv, .tsv."""

    name: str = "arrays"
    path: str = must_exist("", "spectra")  # the file of spectra
    test_path: Optional[str] = must_exist(None, "spectra")  # a second file of that form: the test split; first: train
    labels: Optional[str] = must_exist(None, "file")  # CSV with a row per spectrum, for arrays without labels
    flux_key: Optional[str] = None  # array, list column, or path in HDF5, of flux; null: flux, or the only one possible
    wave_key: Optional[str] = None  # array of wavelengths; null: wave, wavelength, lambda or loglam
    wave_unit: Optional[str] = choice(None, *WAVE_UNITS)  # of the wavelengths, or of column names that are numbers
    wave_medium: Optional[str] = choice(None, *WAVE_MEDIA)  # air: converted to vacuum; null: not known, as they are
    ivar_key: Optional[str] = None  # array, or list column, of inverse variances; null: ivar
    mask_key: Optional[str] = None  # array, or list column, true if a pixel is bad; null: mask
    id_key: Optional[str] = None  # column or array of ids; null: id, or else the rows are numbered
    label_key: Optional[str] = None  # null: label, type, class, target or y, if there is one
    group_key: Optional[str] = None  # the object that several spectra share; null: group
    extra: list[str] = field(default_factory=list)  # further columns that are no pixels (.csv, .tsv, .parquet)
    flux_columns: Optional[list[str]] = None  # the first and the last pixel; null: seen from the names
    header: Optional[bool] = None  # whether the first line has names (.csv, .tsv); null: seen from the line
    channels_last: Optional[bool] = None  # whether flux is [N, L, C], lists [L][C]; null: C before L, refused if C > L

    def check(self, key: str) -> None:
        super().check(key)
        if self.flux_columns is not None and len(self.flux_columns) != 2:
            raise UserError(f"{key}.flux_columns={self.flux_columns} must be two names: the first and the last pixel.")

"""Readers of files as surveys release them."""

from dataclasses import dataclass, field
from typing import Optional

from spectral.configs.data import DataConfig, GridConfig, readers
from spectral.configs.fields import choice, must_exist, number
from spectral.configs.readers import WAVE_MEDIA, WAVE_UNITS
from spectral.errors import UserError

CLASS_MAP = {"star": "star", "galaxy": "galaxy", "qso": "qso", "quasar": "qso", "unknown": "unknown"}


@dataclass
class SurveyFilesConfig(DataConfig):
    """Options of all readers of survey files."""

    folder: str = ""  # a folder with folders below it, a file, or a pattern such as 'dr10/*/spec-*.fits'
    catalog: Optional[str] = must_exist(None, "file")  # CSV, FITS, Parquet: spectra and labels; null: the headers say
    file_key: Optional[str] = None  # its column of file names; null: made of the survey's usual columns
    id_key: Optional[str] = None  # null: the survey's usual name
    label_key: Optional[str] = None  # null: class
    group_key: Optional[str] = None  # the object that several spectra share; null: the survey's id of objects
    redshift_key: Optional[str] = None  # null: the survey's usual name
    snr_key: Optional[str] = None  # null: the survey's usual name
    match_arcsec: Optional[float] = number(2.0, above=0)  # spectra that near are one object, if no id says; null: none
    zwarn_labels: bool = False  # whether a spectrum keeps its label if its redshift has a warning (zwarn, zwarning)
    class_map: dict[str, Optional[str]] = field(default_factory=lambda: dict(CLASS_MAP))  # survey's word -> class


@readers.register("spectral.data.readers.survey_files.opening:open_lamost")
@dataclass
class LamostConfig(SurveyFilesConfig):
    """LAMOST low-resolution spectra, one per file."""

    name: str = "lamost"
    mask: str = choice("and", "and", "or")  # a pixel is bad if all exposures have a flag, or if any has
    bad_flags: list[str] = field(default_factory=lambda: ["any"])  # names of the flags that make a pixel bad
    grid: GridConfig = field(default_factory=lambda: GridConfig("log", 3700.0, 9000.0, 1e-4))


@readers.register("spectral.data.readers.survey_files.opening:open_sdss")
@dataclass
class SdssConfig(SurveyFilesConfig):
    """SDSS optical spectra: one per file, or the 640 or 1,000 of a plate."""

    name: str = "sdss"
    kind: str = choice("spec", "spec", "spplate")  # files spec-PLATE-MJD-FIBER (also lite), or spPlate-PLATE-MJD
    mask: str = choice("and", "and", "or")  # a pixel is bad if all exposures have a flag, or if any has
    bad_flags: list[str] = field(
        default_factory=lambda: ["FULLREJECT", "NOSKY", "BRIGHTSKY", "REDMONSTER"]
    )  # names of the flags that make a pixel bad
    grid: GridConfig = field(default_factory=lambda: GridConfig("log", 3800.0, 9200.0, 1e-4))


@readers.register("spectral.data.readers.survey_files.opening:open_desi")
@dataclass
class DesiConfig(SurveyFilesConfig):
    """DESI spectra, many a file, the arms b, r and z joined."""

    name: str = "desi"
    kind: str = choice("coadd", "coadd", "spectra")  # files of all exposures as one, or of single exposures
    bad_flags: list[str] = field(default_factory=lambda: ["any"])  # names of the flags that make a pixel bad
    grid: GridConfig = field(default_factory=lambda: GridConfig("linear", 3600.0, 9824.0, 0.8))


@readers.register("spectral.data.readers.survey_files.opening:open_multimodal_universe")
@dataclass
class MultimodalUniverseConfig(SurveyFilesConfig):
    """Spectra of the Multimodal Universe: HDF5 files by healpix, or Parquet files of its hub."""

    name: str = "multimodal_universe"
    grid: GridConfig = field(default_factory=lambda: GridConfig("log", 3600.0, 9824.0, 1e-4))


@readers.register("spectral.data.readers.survey_files.opening:open_two_column")
@dataclass
class TwoColumnConfig(SurveyFilesConfig):
    """Text files of columns, one per spectrum; the names of subfolders are labels, unless a catalog has them."""

    name: str = "two_column"
    columns: list[str] = field(default_factory=lambda: ["wave", "flux"])  # also error or ivar; other names: left out
    wave_unit: str = choice("angstrom", *WAVE_UNITS)  # of the column of wavelengths
    wave_medium: str = choice("vacuum", *WAVE_MEDIA)  # air: converted to vacuum
    class_map: dict[str, Optional[str]] = field(default_factory=dict)

    def check(self, key: str) -> None:
        super().check(key)
        named = [column for column in self.columns if column in ("wave", "flux", "error", "ivar")]
        if not {"wave", "flux"} <= set(named) or len(named) != len(set(named)) or {"error", "ivar"} <= set(named):
            raise UserError(
                f"{key}.columns={self.columns} must name wave and flux once each, and at most one of error and ivar."
            )

"""SDSS optical spectra: spec-PLATE-MJD-FIBER.fits, full or lite, and spPlate-PLATE-MJD.fits with 640 or 1,000 of them.

Layout: https://data.sdss.org/datamodel/files/BOSS_SPECTRO_REDUX/RUN2D (spectra/PLATE4/spec.html, PLATE4/spPlate.html).
Wavelengths are in vacuum.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_columns import table_columns
from spectral.data.readers.survey_files.fits_file import FitsFile, hdu_at, open_fits
from spectral.data.readers.survey_files.fits_hdu import Hdu
from spectral.data.readers.survey_files.fits_values import float32, from_log10, wave_of_header
from spectral.data.readers.survey_files.layout import Entry, Spectrum, UnreadableError
from spectral.data.readers.survey_files.mask_bits import bad_pixels, bits_of
from spectral.data.readers.survey_files.scan import stem

# https://www.sdss3.org/dr10/algorithms/bitmask_sppixmask.php: up to 15 of a whole spectrum or one of its halves
FLAGS = {
    "NOPLUG": 0,
    "BADTRACE": 1,
    "BADFLAT": 2,
    "BADARC": 3,
    "MANYBADCOLUMNS": 4,
    "MANYREJECTED": 5,
    "LARGESHIFT": 6,
    "BADSKYFIBER": 7,
    "NEARWHOPPER": 8,
    "WHOPPER": 9,
    "SMEARIMAGE": 10,
    "SMEARHIGHSN": 11,
    "SMEARMEDSN": 12,
    "NEARBADPIXEL": 16,
    "LOWFLAT": 17,
    "FULLREJECT": 18,
    "PARTIALREJECT": 19,
    "SCATTEREDLIGHT": 20,
    "CROSSTALK": 21,
    "NOSKY": 22,
    "BRIGHTSKY": 23,
    "NODATA": 24,
    "COMBINEREJ": 25,
    "BADFLUXFACTOR": 26,
    "BADSKYCHI": 27,
    "REDMONSTER": 28,
}
MOST_FIBERS = 10_000
COADD_COLUMNS = ("flux", "loglam", "ivar", "and_mask", "or_mask")
OF_TABLES = {  # the catalog's name -> the columns of SPECOBJ, SPALL, spZbest or PLUGMAP that give it
    "label": ("class",),
    "subclass": ("subclass",),
    "redshift": ("z",),
    "zwarning": ("zwarning",),
    "snr": ("sn_median_all",),
    "ra_deg": ("plug_ra", "ra"),
    "dec_deg": ("plug_dec", "dec"),
    "objtype": ("objtype",),
}


class SdssLayout:
    """What the files of single spectra and those of plates share.

    Args:
        bad_flags: names of flags, or "any"; a pixel is bad where one of them is set.
        mask: "and" (all exposures have the flag) or "or" (any exposure has it).
    """

    name = "sdss"
    endings = (".fits", ".fits.gz")
    has_ivar = True
    of_spectra = ("bits", "mask")
    usual_names = {  # noqa: RUF012  # a mapping that nobody changes
        "id": ("specobjid",),
        "label": ("class",),
        "redshift": ("z",),
        "snr": ("sn_median_all",),
    }
    file_name_columns = ("plate", "mjd", "fiberid")

    def __init__(self, bad_flags: Sequence[str], mask: str) -> None:
        self.bits, self.mask = bits_of(bad_flags, FLAGS, "data.bad_flags"), mask

    def spectrum_id(self, plate: Any, mjd: Any, fiberid: Any) -> str:
        return f"{int(plate):04d}-{int(mjd):05d}-{int(fiberid):04d}"


class SpecLayout(SdssLayout):
    """spec-PLATE-MJD-FIBER.fits: one spectrum a file, full or lite."""

    beginnings = ("spec-",)

    def file_name(self, plate: Any, mjd: Any, fiberid: Any) -> str:
        return f"spec-{self.spectrum_id(plate, mjd, fiberid)}.fits"

    def entries(self, path: Path) -> list[Entry]:
        with open_fits(path) as hdus:
            table = _known_columns(hdu_at(hdus, 2, "a row of SPECOBJ"), 1)
        if any(len(values) == 0 for values in table.values()) or "class" not in table:
            raise UnreadableError("wrong layout: HDU 2 has no row with CLASS, as that of an SDSS spectrum has")
        id_ = str(table["specobjid"][0]) if "specobjid" in table else ""
        own = {"id": id_ if id_ not in ("", "0") else stem(path.name, self.endings).removeprefix("spec-")}
        return [own | {name: values[0] for name, values in _taken(table).items()}]

    def read(self, path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
        with open_fits(path) as hdus:
            columns = table_columns(hdu_at(hdus, 1, "a table of flux and loglam"), COADD_COLUMNS)
        for name in ("flux", "loglam", "ivar"):
            if name not in columns or columns[name].ndim != 1:
                raise UnreadableError(f"wrong layout: HDU 1 has no column {name} with a number per row")
        flags = columns.get(f"{self.mask}_mask")
        spectrum = Spectrum(
            float32(columns["flux"]),
            from_log10(columns["loglam"]),
            float32(columns["ivar"]),
            None if flags is None else bad_pixels(flags, self.bits),
        )
        return [spectrum] * len(indices)


class PlateLayout(SdssLayout):
    """spPlate-PLATE-MJD.fits: a row for each fiber, in their order."""

    beginnings = ("spplate-",)
    version = 2

    def file_name(self, plate: Any, mjd: Any, _fiberid: Any) -> str:
        return f"spPlate-{int(plate):04d}-{int(mjd):05d}.fits"

    def row_in_file(self, _plate: Any, _mjd: Any, fiberid: Any) -> int:
        return int(fiberid) - 1

    def entries(self, path: Path) -> list[Entry]:
        with open_fits(path) as hdus:
            num_fibers, _ = _plate_shape(hdus[0])
            plate, mjd = (hdus[0].header.needed_number(name, "the id") for name in ("PLATEID", "MJD"))
            columns = self._best_fits(path, num_fibers) or _plug_map(hdus, num_fibers)
        columns["id"] = [self.spectrum_id(plate, mjd, row + 1) for row in range(num_fibers)]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def redshift_file(self, path: Path) -> Path | None:
        """The file spZbest-PLATE-MJD.fits, next to the plate's or one folder below, of the latest run there.

        None if it is not there.
        """
        name = f"spZbest-{stem(path.name, self.endings).partition('-')[2]}.fits"
        places = (path.with_name(name), *sorted(path.parent.glob(f"*/{name}"), key=_version, reverse=True))
        return next((file for file in places if file.is_file()), None)

    def _best_fits(self, path: Path, num_fibers: int) -> dict[str, list[Any]]:
        """Class and redshift of each fiber, from the file of the plate's redshifts if there is one."""
        if (found := self.redshift_file(path)) is None:
            return {}
        try:
            with open_fits(found) as hdus:
                table = _known_columns(hdu_at(hdus, 1, "a row for each fiber"))
        except UnreadableError as error:
            raise UnreadableError(f"unreadable redshifts: {found.name}: {error}") from error
        if not np.array_equal(table.get("fiberid", []), np.arange(1, num_fibers + 1)):
            raise UnreadableError(f"unreadable redshifts: {found.name} has no FIBERID from 1 to {num_fibers}")
        return _taken(table)

    def read(self, path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
        with open_fits(path) as hdus:
            num_fibers, num_pixels = _plate_shape(hdus[0])
            wave = wave_of_header(hdus[0].header, num_pixels)
            there = [index for index in indices if 0 <= index < num_fibers]
            parts = (0, 1, 2 if self.mask == "and" else 3)
            flux, ivar, flags = (_fiber_rows(hdu_at(hdus, i, "a row for each fiber"), there, num_pixels) for i in parts)
        flux, ivar, bad = float32(flux), float32(ivar), bad_pixels(flags, self.bits)
        spectra = {index: Spectrum(flux[i], wave, ivar[i], bad[i]) for i, index in enumerate(there)}
        missing = f"wrong layout: HDU 0 has {num_fibers} fibers"
        return [spectra.get(i) or UnreadableError(f"{missing}, none with number {i + 1}") for i in indices]


def _version(path: Path) -> tuple[list[int], str]:
    """The numbers in the name of a run's folder, such as v5_13_2; names decide between equal ones."""
    return [int(number) for number in re.findall(r"\d+", path.parent.name)], path.parent.name


def _fiber_rows(hdu: Hdu, rows: Sequence[int], num_pixels: int) -> NDArray[Any]:
    if _plate_shape(hdu)[1] != num_pixels:
        raise UnreadableError(f"wrong layout: {hdu} has rows of {hdu.shape[1]} pixels, not of {num_pixels}")
    return hdu.rows(rows)


def _plate_shape(hdu: Hdu) -> tuple[int, int]:
    """Fibers and pixels."""
    if not hdu.is_image or len(hdu.shape) != 2:
        raise UnreadableError(f"wrong layout: {hdu} is not an image with a row for each fiber, as in an spPlate")
    if hdu.shape[0] > MOST_FIBERS:
        raise UnreadableError(f"wrong layout: {hdu} has {hdu.shape[0]:,} rows, more than an spPlate has fibers")
    return hdu.shape[0], hdu.shape[1]


def _known_columns(hdu: Hdu, stop: int | None = None) -> dict[str, NDArray[Any]]:
    """Those that name, class and place spectra, and have one value per row."""
    names = ["specobjid", "fiberid", *sorted({name for names in OF_TABLES.values() for name in names})]
    return {name: values for name, values in table_columns(hdu, names, 0, stop).items() if values.ndim == 1}


def _plug_map(hdus: FitsFile, num_fibers: int) -> dict[str, list[Any]]:
    """Position and type of each fiber's target, if a table of the file says."""
    tables = (_known_columns(hdu) for hdu in hdus if hdu.is_table and hdu.num_rows == num_fibers)
    return _taken(next(tables, {}))


def _taken(table: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    """Columns under the catalog's names."""
    found = {name: next((one for one in usual if one in table), None) for name, usual in OF_TABLES.items()}
    return {name: table[one].tolist() for name, one in found.items() if one is not None}

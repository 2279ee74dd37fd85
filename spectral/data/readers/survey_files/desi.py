"""DESI spectra: coadd-*.fits and spectra-*.fits, many spectra a file, each in the arms b, r and z.

Layout: https://desidatamodel.readthedocs.io, DESI_SPECTRO_REDUX/SPECPROD/healpix and tiles. Each arm has the HDUs
X_WAVELENGTH [L], X_FLUX, X_IVAR and X_MASK [N, L]; FIBERMAP has a row for each spectrum. Wavelengths are in vacuum.
Class and redshift are those of Redrock, in the file redrock-*.fits next to it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.desi_arms import Arm, Lattice, join_arms
from spectral.data.readers.survey_files.fits_columns import table_columns
from spectral.data.readers.survey_files.fits_file import FitsFile, hdu_at, open_fits
from spectral.data.readers.survey_files.fits_values import float32
from spectral.data.readers.survey_files.layout import Entry, Spectrum, UnreadableError
from spectral.data.readers.survey_files.mask_bits import bad_pixels, bits_of
from spectral.data.readers.survey_files.scan import stem

# desispec, py/desispec/maskbits.py: specmask
FLAGS = {
    "SOMEBADPIX": 0,
    "ALLBADPIX": 1,
    "COSMIC": 2,
    "LOWFLAT": 3,
    "BADFIBERFLAT": 4,
    "BRIGHTSKY": 5,
    "BADSKY": 6,
    "BAD2DFIT": 7,
    "NODATA": 8,
    "BADFIBER": 9,
}
WAVELENGTH = "_WAVELENGTH"  # what the name of an arm's HDU of wavelengths ends in
OF_FIBERMAP = {
    "ra_deg": ("target_ra",),
    "dec_deg": ("target_dec",),
    "objtype": ("objtype",),
    "fiberstatus": ("coadd_fiberstatus", "fiberstatus"),
}
OF_SCORES = {"snr": ("median_coadd_snr_r", "median_calib_snr_r")}
OF_REDROCK = {"label": ("spectype",), "subclass": ("subtype",), "redshift": ("z",), "zwarn": ("zwarn",)}


class DesiLayout:
    """Many spectra a file.

    Args:
        kind: "coadd" (all exposures of an object as one spectrum) or "spectra" (one spectrum an exposure).
        bad_flags: names of flags, or "any"; a pixel of an arm is bad where one of them is set.
    """

    name = "desi"
    endings = (".fits", ".fits.gz")
    has_ivar = True
    many_per_file = True
    of_spectra = ("bits",)
    version = 2
    usual_names = {  # noqa: RUF012  # a mapping that nobody changes
        "id": ("targetid",),
        "label": ("spectype",),
        "redshift": ("z",),
        "snr": ("median_coadd_snr_r",),
    }
    file_name_columns = ("survey", "program", "healpix")

    def __init__(self, kind: str, bad_flags: Sequence[str]) -> None:
        self.kind, self.bits = kind, bits_of(bad_flags, FLAGS, "data.bad_flags")
        self.beginnings = (f"{kind}-",)

    def file_name(self, survey: Any, program: Any, healpix: Any) -> str:
        return f"{self.kind}-{survey}-{program}-{healpix}.fits"

    def redshift_file(self, path: Path) -> Path | None:
        """Redrock's file next to one of spectra; None if it is not there."""
        rest = stem(path.name, self.endings).removeprefix(self.kind)
        places = (path.with_name(f"redrock{rest}{ending}") for ending in self.endings)
        return next((file for file in places if file.is_file()), None)

    def longer_id(self, id_: str, file: str) -> str:
        """A TARGETID that several files have, with what tells these apart: TARGETID-SURVEY-PROGRAM-HEALPIX."""
        return f"{id_}-{stem(file, self.endings).removeprefix(self.beginnings[0])}"

    def entries(self, path: Path) -> list[Entry]:
        with open_fits(path) as hdus:
            fibermap = _table(hdus, "FIBERMAP")
            scores = _table(hdus, "SCORES") if "SCORES" in hdus else {}
        if "targetid" not in fibermap:
            raise UnreadableError("wrong layout: HDU FIBERMAP has no column TARGETID")
        ids = fibermap["targetid"]
        columns: dict[str, list[Any]] = {"id": [str(i) for i in ids.tolist()], "group": [str(i) for i in ids.tolist()]}
        if self.kind == "spectra":
            if "expid" not in fibermap:
                raise UnreadableError("wrong layout: HDU FIBERMAP has no column EXPID, as that of exposures has")
            columns["id"] = [f"{i}-{e}" for i, e in zip(ids.tolist(), fibermap["expid"].tolist(), strict=True)]
        columns |= _taken(fibermap, OF_FIBERMAP) | _of_redrock(path, self, ids)
        if len(next(iter(scores.values()), ())) == len(ids):
            columns |= _taken(scores, OF_SCORES)
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def read(self, path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
        with open_fits(path) as hdus:
            names = [hdu.name.removesuffix(WAVELENGTH) for hdu in hdus if hdu.name.endswith(WAVELENGTH)]
            if not names:
                raise UnreadableError("wrong layout: no HDU such as B_WAVELENGTH, as DESI's spectra have")
            arms = [self._arm(hdus, name, indices) for name in names]
        lattice = Lattice.of([arm.wave_angstrom for arm in arms])
        flux, ivar, mask = join_arms(arms, lattice)
        return [Spectrum(flux[i], lattice.wave_angstrom, ivar[i], mask[i]) for i in range(len(indices))]

    def _arm(self, hdus: FitsFile, name: str, indices: Sequence[int]) -> Arm:
        """One arm of some spectra; an arm without a mask has no bad pixels."""
        wave = hdu_at(hdus, name + WAVELENGTH, "wavelengths").data.astype(np.float64)
        flux = _rows(hdus, f"{name}_FLUX", indices, len(wave))
        ivar = _rows(hdus, f"{name}_IVAR", indices, len(wave))
        bad = np.zeros(flux.shape, bool)
        if f"{name}_MASK" in hdus:
            bad = bad_pixels(_rows(hdus, f"{name}_MASK", indices, len(wave)), self.bits)
        return Arm(wave, float32(flux), float32(ivar), bad)


def _rows(hdus: FitsFile, name: str, indices: Sequence[int], length: int) -> NDArray[Any]:
    hdu = hdu_at(hdus, name, f"rows of {length} pixels")
    if hdu.shape[1:] != (length,):
        raise UnreadableError(f"wrong layout: {hdu} is of {list(hdu.shape)}, not of rows of {length} pixels")
    return hdu.rows(indices)


def _table(hdus: FitsFile, name: str) -> dict[str, NDArray[Any]]:
    wanted = {"targetid", "expid"}.union(*OF_FIBERMAP.values(), *OF_SCORES.values(), *OF_REDROCK.values())
    return table_columns(hdu_at(hdus, name, "a table"), sorted(wanted))


def _taken(table: dict[str, NDArray[Any]], names: Mapping[str, tuple[str, ...]]) -> dict[str, list[Any]]:
    found = {name: next((one for one in usual if one in table), None) for name, usual in names.items()}
    return {name: table[one].tolist() for name, one in found.items() if one is not None}


def _of_redrock(path: Path, layout: DesiLayout, ids: NDArray[np.int64]) -> dict[str, list[Any]]:
    """Class and redshift of each spectrum, missing where Redrock has none; nothing if there is no such file."""
    if (found := layout.redshift_file(path)) is None:
        return {}
    try:
        with open_fits(found) as hdus:
            table = _table(hdus, "REDSHIFTS")
    except UnreadableError as error:
        raise UnreadableError(f"unreadable redshifts: {found.name}: {error}") from error
    if "targetid" not in table:
        raise UnreadableError(f"unreadable redshifts: {found.name}: no column TARGETID")
    row_of = {targetid: row for row, targetid in enumerate(table["targetid"].tolist())}
    rows = [row_of.get(targetid) for targetid in ids.tolist()]
    columns = _taken(table, OF_REDROCK)
    return {name: [None if row is None else values[row] for row in rows] for name, values in columns.items()}

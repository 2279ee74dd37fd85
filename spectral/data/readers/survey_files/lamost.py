"""LAMOST low-resolution spectra: an image of five rows (data releases 1 to 6), or a binary table (from release 7 on).

Layout: https://www.lamost.org/dr10/v2.0/doc/lr-data-production-description, sections on FITS files. The image's rows
0, 1, 3 and 4 are flux, inverse variance, AND mask and OR mask. Row 2 is the wavelength in pipeline v2.9 and the
continuum-normalised flux in v2.6: so wavelengths are those of COEFF0 and COEFF1. They are in vacuum.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spectral.data.readers.survey_files.fits_columns import table_columns
from spectral.data.readers.survey_files.fits_file import FitsFile, hdu_at, open_fits
from spectral.data.readers.survey_files.fits_hdu import Hdu
from spectral.data.readers.survey_files.fits_values import float32, float64, wave_of_header
from spectral.data.readers.survey_files.layout import Entry, Spectrum, UnreadableError
from spectral.data.readers.survey_files.mask_bits import bad_pixels, bits_of
from spectral.data.readers.survey_files.scan import stem

FLAGS = {"BADCCD": 0, "BADPROFILE": 1, "NOSKY": 2, "BRIGHTSKY": 3, "BADCENTER": 4, "NODATA": 5}
NUM_IMAGE_ROWS, AND_ROW, OR_ROW = 5, 3, 4
TABLE_COLUMNS = ("flux", "ivar", "wavelength", "andmask", "ormask")


class LamostLayout:
    """One spectrum a file.

    Args:
        bad_flags: names of flags, or "any"; a pixel is bad where one of them is set.
        mask: "and" (all exposures have the flag) or "or" (any exposure has it).
    """

    name = "lamost"
    endings = (".fits", ".fits.gz", ".fit", ".fit.gz")
    has_ivar = True
    of_spectra = ("bits", "mask")
    usual_names = {  # noqa: RUF012  # a mapping that nobody changes
        "id": ("obsid",),
        "label": ("class",),
        "group": ("uid", "gp_id"),
        "redshift": ("z",),
        "snr": ("snrr", "snr_r", "snrg"),
    }
    file_name_columns = ("lmjd", "planid", "spid", "fiberid")

    def __init__(self, bad_flags: Sequence[str], mask: str) -> None:
        self.bits, self.mask = bits_of(bad_flags, FLAGS, "data.bad_flags"), mask

    def file_name(self, lmjd: Any, planid: Any, spid: Any, fiberid: Any) -> str:
        return f"spec-{int(lmjd):05d}-{planid}_sp{int(spid):02d}-{int(fiberid):03d}.fits"

    def entries(self, path: Path) -> list[Entry]:
        with open_fits(path) as hdus:
            header = hdus[0].header
        if "CLASS" not in header and "OBJNAME" not in header:
            raise UnreadableError("wrong layout: HDU 0 has neither CLASS nor OBJNAME, as a LAMOST spectrum has")
        entry: Entry = {
            "id": header.text("OBSID") or stem(path.name, self.endings),
            "label": header.text("CLASS"),
            "subclass": header.text("SUBCLASS"),
            "redshift": header.number("Z"),
            "snr": header.number("SNRR" if "SNRR" in header else "SN_R"),
            "ra_deg": header.number("RA"),
            "dec_deg": header.number("DEC"),
        }
        return [entry]

    def read(self, path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
        with open_fits(path) as hdus:
            spectrum = self._of_image(hdus[0]) if hdus[0].is_image else self._of_table(hdus)
        return [spectrum for _ in indices]

    def _of_image(self, hdu: Hdu) -> Spectrum:
        if len(hdu.shape) != 2 or hdu.shape[0] != NUM_IMAGE_ROWS:
            raise UnreadableError(f"wrong layout: {hdu} is an image of {list(hdu.shape)}, not of 5 rows")
        flux, ivar, flags = hdu.rows([0, 1, AND_ROW if self.mask == "and" else OR_ROW])
        wave = wave_of_header(hdu.header, hdu.shape[1])
        return Spectrum(float32(flux), wave, float32(ivar), bad_pixels(flags, self.bits))

    def _of_table(self, hdus: FitsFile) -> Spectrum:
        columns = table_columns(hdu_at(hdus, 1, "a table of FLUX and WAVELENGTH"), TABLE_COLUMNS)
        for name in ("flux", "wavelength", "ivar"):
            if name not in columns:
                raise UnreadableError(f"wrong layout: HDU 1 has no column {name.upper()}")
        if columns["flux"].ndim > 1 and len(columns["flux"]) != 1:
            raise UnreadableError(f"wrong layout: HDU 1 has {len(columns['flux'])} rows of many pixels, not one")
        flat = {name: values.reshape(-1) for name, values in columns.items()}
        flags = flat.get(f"{self.mask}mask")
        return Spectrum(
            float32(flat["flux"]),
            float64(flat["wavelength"]),
            float32(flat["ivar"]),
            None if flags is None else bad_pixels(flags, self.bits),
        )

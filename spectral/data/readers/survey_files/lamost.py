"""LAMOST low-resolution spectra: an image of five rows (data releases 1 to 6), or a binary table (from release 7 on).

Layout: https://www.lamost.org/dr10/v2.0/doc/lr-data-production-description, sections on FITS files. The image's rows
0, 1, 3 and 4 are flux, inverse variance, AND mask and OR mask. Row 2 is the wavelength in pipeline v2.9 and the
continuum-normalised flux in v2.6: so wavelengths are those of COEFF0 and COEFF1. They are in vacuum.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.fits_file import float32, hdu_at, open_fits, table_columns
from spectral.data.readers.survey_files.layout import Entry, Spectrum, UnreadableError
from spectral.data.readers.survey_files.mask_bits import bad_pixels, bits_of
from spectral.data.readers.survey_files.scan import stem

NO_REDSHIFT = -9999.0
FLAGS = {"BADCCD": 0, "BADPROFILE": 1, "NOSKY": 2, "BRIGHTSKY": 3, "BADCENTER": 4, "NODATA": 5}
NUM_IMAGE_ROWS = 5  # flux, inverse variance, wavelength or normalised flux, AND mask, OR mask
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
        redshift = header.get("Z")
        entry = {
            "id": str(header["OBSID"]) if "OBSID" in header else stem(path.name, self.endings),
            "label": header.get("CLASS"),
            "subclass": header.get("SUBCLASS"),
            "redshift": None if redshift is None or redshift <= NO_REDSHIFT else float(redshift),
            "snr": header.get("SNRR", header.get("SN_R")),
            "ra_deg": header.get("RA"),
            "dec_deg": header.get("DEC"),
        }
        return [entry]

    def read(self, path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
        with open_fits(path) as hdus:
            spectrum = self._of_image(hdus[0]) if hdus[0].header["NAXIS"] else self._of_table(hdus)
        return [spectrum for _ in indices]

    def _of_image(self, hdu: Any) -> Spectrum:
        if hdu.header["NAXIS"] != 2 or hdu.header["NAXIS2"] != NUM_IMAGE_ROWS:
            shape = [hdu.header[f"NAXIS{i}"] for i in range(hdu.header["NAXIS"], 0, -1)]
            raise UnreadableError(f"wrong layout: HDU 0 is an image of {shape}, not of 5 rows")
        if "COEFF0" not in hdu.header or "COEFF1" not in hdu.header:
            raise UnreadableError("wrong layout: HDU 0 has no COEFF0 and COEFF1, which give the wavelengths")
        data = hdu.data
        wave = 10 ** (hdu.header["COEFF0"] + hdu.header["COEFF1"] * np.arange(data.shape[1]))
        flags = data[3 if self.mask == "and" else 4]
        return Spectrum(float32(data[0]), wave, float32(data[1]), self._bad(flags))

    def _of_table(self, hdus: Any) -> Spectrum:
        columns = table_columns(hdu_at(hdus, 1, "a table of FLUX and WAVELENGTH"), TABLE_COLUMNS)
        for name in ("flux", "wavelength"):
            if name not in columns:
                raise UnreadableError(f"wrong layout: HDU 1 has no column {name.upper()}")
        flat = {name: values.reshape(-1) for name, values in columns.items()}
        flags, ivar = flat.get(f"{self.mask}mask"), flat.get("ivar")
        return Spectrum(
            float32(flat["flux"]),
            flat["wavelength"].astype(np.float64),
            None if ivar is None else float32(ivar),
            None if flags is None else self._bad(flags),
        )

    def _bad(self, flags: NDArray[Any]) -> NDArray[np.bool_]:
        return bad_pixels(flags, self.bits)

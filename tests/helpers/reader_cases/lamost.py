"""Cases of the reader of LAMOST's files: one spectrum a file, big-endian as FITS is."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from reader_cases.case import LOG_STEP, MadeSpectrum, ReaderCase
from spectral.configs.data import readers
from spectral.configs.survey_files import LamostConfig
from spectral.data.readers.contract import Reader


def lamost_header(spectrum: MadeSpectrum) -> fits.Header:
    return fits.Header(
        {
            "OBSID": int(spectrum.id),
            "OBJNAME": f"object {spectrum.id}",
            "CLASS": spectrum.label.upper(),
            "SUBCLASS": "Non",
            "Z": spectrum.redshift,
            "SNRR": 12.5,
            "RA": spectrum.ra_deg,
            "DEC": spectrum.dec_deg,
            "COEFF0": float(np.log10(spectrum.wave[0])),
            "COEFF1": LOG_STEP,
        }
    )


class LamostCase(ReaderCase):
    ending = ".fits"

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        for row, spectrum in enumerate(spectra):
            plan = folder / "spectra" / f"plan{row // 4}"
            plan.mkdir(parents=True, exist_ok=True)
            path = plan / f"spec-55862-B{row // 4:04d}_sp01-{row:03d}{self.ending}"
            self.hdus(spectrum).writeto(path, overwrite=True)

    def hdus(self, spectrum: MadeSpectrum) -> fits.HDUList:
        raise NotImplementedError

    def open(self, folder: Path) -> Reader:
        return readers.build(LamostConfig(folder=str(folder / "spectra")), cache_dir=folder / "cache")

    def damage(self, folder: Path, row: int) -> None:
        path = sorted((folder / "spectra").rglob(f"*{self.ending}"))[row]
        path.write_bytes(path.read_bytes()[:-2880])


class LamostImageCase(LamostCase):
    """Data releases 1 to 6. Row 2 is not the wavelength, as in pipeline v2.6."""

    name = "lamost-image"

    def hdus(self, spectrum: MadeSpectrum) -> fits.HDUList:
        rows = [spectrum.flux, spectrum.ivar, np.ones(len(spectrum.flux)), 4 * spectrum.bad, 4 * spectrum.bad]
        return fits.HDUList([fits.PrimaryHDU(np.stack(rows).astype(np.float32), lamost_header(spectrum))])


class LamostGzipCase(LamostImageCase):
    name, ending = "lamost-image-gzip", ".fits.gz"

    def damage(self, folder: Path, row: int) -> None:
        path = sorted((folder / "spectra").rglob("*.fits.gz"))[row]
        path.write_bytes(path.read_bytes()[:-200])


class LamostTableCase(LamostCase):
    """From data release 7 on: a table of one row."""

    name = "lamost-table"
    wave_rtol = 1e-7

    def hdus(self, spectrum: MadeSpectrum) -> fits.HDUList:
        num = len(spectrum.flux)
        values = {
            "FLUX": (f"{num}E", spectrum.flux),
            "IVAR": (f"{num}E", spectrum.ivar),
            "WAVELENGTH": (f"{num}E", spectrum.wave.astype(np.float32)),
            "ANDMASK": (f"{num}E", 4 * spectrum.bad),
            "ORMASK": (f"{num}E", 4 * spectrum.bad),
            "NORMALIZATION": (f"{num}E", np.ones(num)),
        }
        columns = [fits.Column(name, form, array=array[None]) for name, (form, array) in values.items()]
        primary = fits.PrimaryHDU(header=lamost_header(spectrum))
        return fits.HDUList([primary, fits.BinTableHDU.from_columns(columns, name="COADD")])


CASES: tuple[ReaderCase, ...] = (LamostImageCase(), LamostGzipCase(), LamostTableCase())

"""Cases of the reader of DESI's files: many spectra a file, in arms that overlap."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

from reader_cases.case import MadeSpectrum, ReaderCase
from spectral.configs.data import readers
from spectral.configs.survey_files import DesiConfig
from spectral.data.readers.contract import Reader

PER_FILE = 4
OVERLAP = slice(18, 30)  # pixels that both arms have; the red one knows nothing there


class DesiCoaddCase(ReaderCase):
    name, kind = "desi-coadd", "coadd"
    ragged = damages_rows = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        (folder / "healpix").mkdir(exist_ok=True)
        for start in range(0, len(spectra), PER_FILE):
            some, name = spectra[start : start + PER_FILE], f"sv3-bright-{start:05d}.fits"
            self.hdus(some).writeto(folder / "healpix" / f"{self.kind}-{name}", overwrite=True)
            table = Table({"TARGETID": self.ids(some), "SPECTYPE": [s.label.upper() for s in some]})
            table["Z"] = [s.redshift for s in some]
            hdus = [fits.PrimaryHDU(), fits.BinTableHDU(table, name="REDSHIFTS")]
            fits.HDUList(hdus).writeto(folder / "healpix" / f"redrock-{name}", overwrite=True)

    def ids(self, spectra: list[MadeSpectrum]) -> np.ndarray:
        return np.array([int(spectrum.id) for spectrum in spectra])

    def hdus(self, spectra: list[MadeSpectrum]) -> fits.HDUList:
        flux, ivar = (np.stack([getattr(s, name) for s in spectra]) for name in ("flux", "ivar"))
        bad, wave = np.stack([s.bad for s in spectra]).astype(np.int32) * 4, spectra[0].wave
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(self.fibermap(spectra), name="FIBERMAP")])
        for arm, part in (("B", slice(0, OVERLAP.stop)), ("R", slice(OVERLAP.start, len(wave)))):
            known = ivar[:, part].copy()
            if arm == "R":
                known[:, : OVERLAP.stop - OVERLAP.start] = 0
            arrays = {"WAVELENGTH": wave[part], "FLUX": flux[:, part], "IVAR": known, "MASK": bad[:, part]}
            hdus.extend(fits.ImageHDU(values, name=f"{arm}_{name}") for name, values in arrays.items())
        return hdus

    def fibermap(self, spectra: list[MadeSpectrum]) -> Table:
        table = Table({"TARGETID": self.ids(spectra), "TARGET_RA": [s.ra_deg for s in spectra]})
        table["TARGET_DEC"] = [s.dec_deg for s in spectra]
        return table

    def open(self, folder: Path) -> Reader:
        config = DesiConfig(folder=str(folder / "healpix"), kind=self.kind)
        return readers.build(config, cache_dir=folder / "cache")


CASES: tuple[ReaderCase, ...] = (DesiCoaddCase(),)

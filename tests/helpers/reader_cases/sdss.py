"""Cases of the reader of SDSS's files: single spectra, and plates."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from reader_cases.case import LENGTH, LOG_STEP, MadeSpectrum, ReaderCase
from spectral.configs.data import readers
from spectral.configs.survey_files import SdssConfig
from spectral.data.readers.contract import Reader

PLATE, MJD = 266, 51602
BRIGHTSKY = 1 << 23


def flags(spectrum: MadeSpectrum) -> np.ndarray:
    """Two pixels that are bad, one that has a flag which is no reason to leave it out."""
    result = np.where(spectrum.bad, BRIGHTSKY, 0).astype(np.int32)
    result[1] |= 1 << 16
    return result


class SpecCase(ReaderCase):
    """spec-PLATE-MJD-FIBER.fits, with the spectra of single exposures after the four HDUs of the lite form."""

    name, exposures = "sdss-spec", 2
    wave_rtol = 1e-6  # loglam is float32

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        for row, spectrum in enumerate(spectra):
            plate = folder / "spectra" / f"{PLATE + row // 4:04d}"
            plate.mkdir(parents=True, exist_ok=True)
            path = plate / f"spec-{PLATE + row // 4:04d}-{MJD}-{row + 1:04d}.fits"
            fits.HDUList(self.hdus(spectrum, row)).writeto(path, overwrite=True)

    def hdus(self, spectrum: MadeSpectrum, row: int) -> list[fits.PrimaryHDU]:
        values = [
            ("flux", "E", spectrum.flux),
            ("loglam", "E", np.log10(spectrum.wave)),
            ("ivar", "E", spectrum.ivar),
            ("and_mask", "J", flags(spectrum)),
            ("or_mask", "J", np.full(len(spectrum.flux), BRIGHTSKY)),
            ("model", "E", np.ones(len(spectrum.flux))),
        ]
        coadd = fits.BinTableHDU.from_columns([fits.Column(n, f, array=v) for n, f, v in values], name="COADD")
        of_object = [
            ("SPECOBJID", "22A", [spectrum.id.rjust(22)]),
            ("CLASS", "7A", [spectrum.label.upper()]),
            ("SUBCLASS", "21A", [""]),
            ("Z", "E", [spectrum.redshift]),
            ("ZWARNING", "J", [0]),
            ("SN_MEDIAN_ALL", "E", [4.5]),
            ("SN_MEDIAN", "5E", [[1, 2, 3, 4, 5]]),
            ("PLUG_RA", "D", [spectrum.ra_deg]),
            ("PLUG_DEC", "D", [spectrum.dec_deg]),
            ("PLATE", "J", [PLATE + row // 4]),
            ("MJD", "J", [MJD]),
            ("FIBERID", "J", [row + 1]),
        ]
        objects = [fits.Column(name, form, array=np.array(value)) for name, form, value in of_object]
        table = fits.BinTableHDU.from_columns(objects, name="SPECOBJ")
        lines = fits.BinTableHDU.from_columns([fits.Column("LINENAME", "13A", array=["H_alpha"])], name="SPZLINE")
        more = [fits.BinTableHDU.from_columns(coadd.columns, name=f"B1-{i}") for i in range(self.exposures)]
        return [fits.PrimaryHDU(), coadd, table, lines, *more]

    def open(self, folder: Path) -> Reader:
        return readers.build(SdssConfig(folder=str(folder / "spectra")), cache_dir=folder / "cache")

    def damage(self, folder: Path, row: int) -> None:
        path = sorted((folder / "spectra").rglob("*.fits"))[row]
        path.write_bytes(path.read_bytes()[:5000])


class SpecLiteCase(SpecCase):
    name, exposures = "sdss-spec-lite", 0


class PlateCase(ReaderCase):
    """spPlate-PLATE-MJD.fits with spZbest-PLATE-MJD.fits next to it. Ids are those of the fibers."""

    name = "sdss-spplate"
    ragged = made_ids = False
    damages_rows = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        for first in range(0, len(spectra), 6):
            write_plate(folder / "redux", PLATE + first // 6, spectra[first : first + 6])

    def open(self, folder: Path) -> Reader:
        config = SdssConfig(folder=str(folder / "redux"), kind="spplate")
        return readers.build(config, cache_dir=folder / "cache")


def write_plate(folder: Path, plate: int, spectra: list[MadeSpectrum], with_classes: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    header = {"PLATEID": plate, "MJD": MJD, "COEFF0": float(np.log10(spectra[0].wave[0])), "COEFF1": LOG_STEP}
    bright = np.full((len(spectra), LENGTH), BRIGHTSKY, np.int32)
    images = [
        fits.PrimaryHDU(np.stack([spectrum.flux for spectrum in spectra]), fits.Header(header)),
        fits.ImageHDU(np.stack([spectrum.ivar for spectrum in spectra])),
        fits.ImageHDU(np.stack([flags(spectrum) for spectrum in spectra])),
        fits.ImageHDU(bright),
        fits.ImageHDU(np.ones(bright.shape, np.float32)),
    ]
    positions = [
        fits.Column("RA", "D", array=[spectrum.ra_deg for spectrum in spectra]),
        fits.Column("DEC", "D", array=[spectrum.dec_deg for spectrum in spectra]),
        fits.Column("OBJTYPE", "16A", array=["SKY"] * len(spectra)),
        fits.Column("MAG", "5E", array=np.ones((len(spectra), 5))),
    ]
    images.append(fits.BinTableHDU.from_columns(positions))
    fits.HDUList(images).writeto(folder / f"spPlate-{plate:04d}-{MJD}.fits", overwrite=True)
    if with_classes:
        write_classes(folder / f"spZbest-{plate:04d}-{MJD}.fits", spectra)


def write_classes(path: Path, spectra: list[MadeSpectrum]) -> None:
    columns = [
        fits.Column("FIBERID", "J", array=np.arange(1, len(spectra) + 1)),
        fits.Column("CLASS", "7A", array=[spectrum.label.upper() for spectrum in spectra]),
        fits.Column("Z", "E", array=[spectrum.redshift for spectrum in spectra]),
        fits.Column("ZWARNING", "J", array=np.zeros(len(spectra))),
        fits.Column("SN_MEDIAN_ALL", "E", array=np.full(len(spectra), 4.5)),
        fits.Column("PLUG_RA", "D", array=[spectrum.ra_deg for spectrum in spectra]),
        fits.Column("PLUG_DEC", "D", array=[spectrum.dec_deg for spectrum in spectra]),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path, overwrite=True)


CASES: tuple[ReaderCase, ...] = (SpecCase(), SpecLiteCase(), PlateCase())

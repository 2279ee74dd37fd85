"""Wavelengths of FITS files in the unit that the file states."""

import logging

import numpy as np
import pytest
from astropy.io import fits

from spectral.data.readers.arrays.fits_units import stated_unit
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError

FLUX = np.arange(42, dtype=np.float32).reshape(7, 6)
WAVE_ANGSTROM = np.linspace(4000.0, 5000.0, 6)


def saved(folder, *hdus):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(folder / "survey.fits")
    return str(folder / "survey.fits")


def image(**keywords):
    return fits.ImageHDU(FLUX, fits.Header(keywords), name="FLUX")


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("Angstrom", "angstrom"),
        ("0.1nm", "angstrom"),
        ("nm", "nm"),
        ("um", "um"),
        ("m", "m"),
        ("cm-1", "cm-1"),
        ("Angstroms", "angstrom"),  # not of the FITS standard
        ("A", "angstrom"),
        ("of light", None),
        ("", None),
        (None, None),
    ],
)
def test_units_by_the_names_of_the_config(stated, name):
    assert stated_unit(stated, "wave") == name


@pytest.mark.parametrize(("unit", "per_angstrom"), [("nm", 0.1), ("m", 1e-10), ("Angstrom", 1.0)])
def test_the_unit_of_keywords(tmp_path, unit, per_angstrom, caplog):
    keywords = {"CRVAL1": 4000.0 * per_angstrom, "CDELT1": 200.0 * per_angstrom, "CUNIT1": unit}
    reader = open_arrays(saved(tmp_path, image(**keywords)))
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(reader.wave_angstrom(), WAVE_ANGSTROM, rtol=1e-12)
    assert not caplog.records  # nothing is a guess
    assert reader.wave_unit == {"Angstrom": "angstrom"}.get(unit, unit)
    # A pack that took another unit for Angstrom is not used again.
    assert reader.settings()["wave_unit"] == (None if unit == "Angstrom" else unit)


def test_the_unit_of_a_column_with_wavelengths_of_each_spectrum(tmp_path):
    waves = WAVE_ANGSTROM + np.arange(7)[:, None]
    columns = [fits.Column("FLUX", "6E", array=FLUX), fits.Column("WAVE", "6D", unit="nm", array=waves / 10)]
    reader = open_arrays(saved(tmp_path, fits.BinTableHDU.from_columns(columns)))
    np.testing.assert_allclose(reader.read(np.array([3])).wave_angstrom[0], waves[3], rtol=1e-12)


def test_the_unit_of_an_image(tmp_path):
    wave = fits.ImageHDU(WAVE_ANGSTROM / 1e4, fits.Header({"BUNIT": "um"}), name="WAVE")
    reader = open_arrays(saved(tmp_path, image(), wave))
    np.testing.assert_allclose(reader.wave_angstrom(), WAVE_ANGSTROM, rtol=1e-12)


def test_a_logarithm_is_of_angstrom_whatever_its_unit(tmp_path):
    columns = [fits.Column("FLUX", "6E", array=FLUX)]
    columns.append(fits.Column("LOGLAM", "6D", unit="nm", array=np.tile(np.log10(WAVE_ANGSTROM), (7, 1))))
    reader = open_arrays(saved(tmp_path, fits.BinTableHDU.from_columns(columns)))
    np.testing.assert_allclose(reader.read(np.array([0])).wave_angstrom[0], WAVE_ANGSTROM, rtol=1e-12)


def test_another_unit_is_refused_unless_the_user_names_one(tmp_path):
    path = saved(tmp_path, image(CRVAL1=4000.0, CDELT1=200.0, CUNIT1="eV"))
    with pytest.raises(UserError, match=r"The wavelengths in .* are in eV, as the file states: name their unit by"):
        open_arrays(path).wave_angstrom()
    np.testing.assert_allclose(open_arrays(path, wave_unit="angstrom").wave_angstrom(), WAVE_ANGSTROM)

"""LAMOST's files and catalogs, beyond what the contract suite checks."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from reader_cases.lamost import LamostTableCase, lamost_header
from survey_tests import few_spectra, lamost, rows_of

from spectral.errors import UserError


def write_one(path: Path, rows: np.ndarray, **cards: object) -> None:
    header = lamost_header(few_spectra(1)[0])
    for keyword, value in cards.items():
        if value is None:
            del header[keyword]
        else:
            header[keyword] = value
    path.parent.mkdir(exist_ok=True)
    fits.PrimaryHDU(rows.astype(np.float32), header).writeto(path)


def image_rows(and_flags: dict[int, int], or_flags: dict[int, int], num_rows: int = 5) -> np.ndarray:
    rows = np.ones((num_rows, 40))
    rows[3:] = 0
    for row, flags in ((3, and_flags), (4, or_flags)):
        for pixel, value in flags.items():
            rows[row, pixel] = value
    return rows


@pytest.mark.parametrize(
    ("options", "bad"),
    [
        ({}, [2, 5, 7]),
        ({"mask": "or"}, [2, 5, 7, 9]),
        ({"bad_flags": ["BRIGHTSKY"]}, [5]),
        ({"bad_flags": ["BADCCD", "nodata"]}, [2]),
        ({"bad_flags": []}, []),
    ],
    ids=["any", "or", "one", "two", "none"],
)
def test_bad_pixels_are_those_with_the_flags_that_the_config_names(
    options: dict[str, object], bad: list[int], tmp_path: Path
) -> None:
    and_flags = {2: 1 << 0, 5: 1 << 3, 7: 1 << 6}  # the last has no name, as in pipeline v2.7
    write_one(tmp_path / "s" / "spec-1.fits", image_rows(and_flags, and_flags | {9: 1 << 1}))
    reader = lamost(tmp_path / "s", **options)
    reader.catalog()
    mask = reader.read(np.array([0])).mask
    assert mask is not None and np.flatnonzero(mask[0]).tolist() == bad


def test_an_unknown_flag_is_one_sentence(tmp_path: Path) -> None:
    write_one(tmp_path / "s" / "spec-1.fits", image_rows({}, {}))
    with pytest.raises(
        UserError, match=r"data\.bad_flags=BRIGHTSKYS is no flag of this survey: did you mean 'BRIGHTSKY'"
    ):
        lamost(tmp_path / "s", bad_flags=["BRIGHTSKYS"])


def test_wavelengths_come_from_the_header_and_not_from_row_2(tmp_path: Path) -> None:
    write_one(tmp_path / "s" / "spec-1.fits", image_rows({}, {}), COEFF0=3.5682, COEFF1=1e-4)
    reader = lamost(tmp_path / "s")
    reader.catalog()
    wave = reader.read(np.array([0])).wave_angstrom
    assert wave is not None
    np.testing.assert_allclose(np.log10(wave[0]), 3.5682 + 1e-4 * np.arange(40), rtol=1e-12)


def test_header_values_of_the_pipelines(tmp_path: Path) -> None:
    old = {"SNRR": None, "SN_R": 7.5, "OBSID": None, "Z": -9999.0, "CLASS": "Unknown"}
    write_one(tmp_path / "s" / "spec-55862-B6212_sp06-003.fits", image_rows({}, {}), **old)
    write_one(tmp_path / "s" / "spec-55862-B6212_sp06-004.fits", image_rows({}, {}), CLASS="STAR")
    ids, labels, redshifts, snr = rows_of(lamost(tmp_path / "s"), "id", "label", "redshift", "snr")
    assert ids == ["spec-55862-B6212_sp06-003", few_spectra(1)[0].id]
    assert (labels, redshifts, snr) == (["unknown", "star"], [None, 0.0], [7.5, 12.5])


@pytest.mark.parametrize(
    ("rows", "cards", "reason"),
    [
        (image_rows({}, {}, 6), {}, r"wrong layout: HDU 0 PRIMARY is an image of \[6, 40\], not of 5 rows"),
        (image_rows({}, {}), {"COEFF1": None}, "wrong layout: HDU 0 has no COEFF1, which gives the wavelengths"),
        (image_rows({}, {}), {"CLASS": None, "OBJNAME": None}, "wrong layout: HDU 0 has neither CLASS nor OBJNAME"),
    ],
)
def test_a_wrong_layout_says_what_was_expected(
    rows: np.ndarray, cards: dict[str, None], reason: str, tmp_path: Path
) -> None:
    write_one(tmp_path / "s" / "spec-1.fits", rows, **cards)
    reader = lamost(tmp_path / "s")
    reader.catalog()
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(reader.read(np.array([0])).problems[0])


@pytest.mark.parametrize("column", ["WAVELENGTH", "IVAR"])
def test_a_table_without_wavelengths_or_inverse_variances_says_so(tmp_path: Path, column: str) -> None:
    hdus = LamostTableCase().hdus(few_spectra(1)[0])
    hdus[1] = fits.BinTableHDU.from_columns([c for c in hdus[1].columns if c.name != column])
    (tmp_path / "s").mkdir()
    hdus.writeto(tmp_path / "s" / "spec-1.fits")
    reader = lamost(tmp_path / "s")
    reader.catalog()
    assert reader.read(np.array([0])).problems == {0: f"wrong layout: HDU 1 has no column {column} (spec-1.fits)"}


# Catalogs

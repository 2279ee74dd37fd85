"""FITS files with a row for each spectrum: `data=fits_table`, or data=arrays by their ending."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from spectral.data.readers.arrays.opening import open_arrays
from spectral.data.readers.survey_files import fits_hdu
from spectral.data.readers.survey_files.catalog_table import read_catalog_table
from spectral.data.readers.survey_files.fits_hdu import Hdu
from spectral.data.wavelengths import vacuum_angstrom
from spectral.errors import UserError

FLUX = np.arange(42, dtype=np.float32).reshape(7, 6) / 7
WAVE = np.linspace(4000, 4005, 6)
IDS = np.arange(7) + 2**60 + 1
WORDS = {"CLASS": ("PA()", ["STAR", "QSO", "STAR", "STAR", "STAR", "STAR", ""])}
LISTS = {"N": ("PJ()", np.array([np.arange(num, dtype=np.int32) for num in range(1, 8)], object))}
COLUMNS = {
    "TARGETID": ("K", IDS),
    "FLUX": ("6E", FLUX),
    "IVAR": ("6D", FLUX.astype(np.float64) + 1),
    "MASK": ("6J", (FLUX % 1 == 0).astype(np.int32) * 4),
    "CLASS": ("6A", ["STAR", "QSO", "GALAXY", "STAR", "STAR", "STAR", ""]),
    "Z": ("D", np.arange(7.0)),
}


def table(columns=COLUMNS, name="SPECTRA", **header):
    made = [fits.Column(key, form, array=values) for key, (form, values) in columns.items()]
    return fits.BinTableHDU.from_columns(made, fits.Header(header), name=name)


def saved(folder, *hdus, name="survey.fits"):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(folder / name)
    return str(folder / name)


@pytest.mark.parametrize("name", ["survey.fits", "survey.FITS.gz", "survey.fit"])
def test_vectors_and_what_is_known_of_the_rows(tmp_path, name):
    path = saved(tmp_path, table(), fits.ImageHDU(WAVE, name="WAVELENGTH"), name=name.lower())
    path = (tmp_path / name.lower()).rename(tmp_path / name)
    reader = open_arrays(str(path), id_key="TARGETID")
    catalog = reader.catalog()
    assert catalog["id"].tolist() == [str(i) for i in IDS] and catalog["redshift"].tolist() == list(range(7))
    assert catalog["label"].fillna("-").tolist() == ["STAR", "QSO", "GALAXY", "STAR", "STAR", "STAR", "-"]
    rows = np.array([5, 0, 1, 2, 5])
    chunk = reader.read(rows)
    np.testing.assert_array_equal(np.concatenate(chunk.flux), FLUX[rows])
    np.testing.assert_array_equal(np.concatenate(chunk.ivar), (FLUX.astype(np.float64)[rows] + 1).astype(np.float32))
    np.testing.assert_array_equal(np.stack(chunk.mask), FLUX[rows] % 1 == 0)
    np.testing.assert_array_equal(reader.wave_angstrom(), WAVE)
    assert chunk.flux[0].dtype.isnative and reader.read(np.arange(0)).flux == []


def test_wavelengths_of_each_row(tmp_path):
    waves = WAVE + np.arange(7)[:, None]
    reader = open_arrays(saved(tmp_path, table(COLUMNS | {"LOGLAM": ("6D", np.log10(waves))})))
    assert reader.wave_per_row and reader.wave_angstrom() is None
    np.testing.assert_allclose(reader.read(np.array([4])).wave_angstrom[0], waves[4], rtol=1e-12)


@pytest.mark.parametrize(
    ("keywords", "wave"),
    [
        ({"COEFF0": 3.58, "COEFF1": 1e-4}, 10 ** (3.58 + 1e-4 * np.arange(6))),
        ({"CRVAL1": 4000.0, "CDELT1": 2.0}, 4000 + 2.0 * np.arange(6)),
        ({"CRVAL1": 4000.0, "CD1_1": 2.0, "CRPIX1": 3.0}, 3996 + 2.0 * np.arange(6)),
        ({"CRVAL1": 3.58, "CD1_1": 1e-4, "CRPIX1": 1, "DC-FLAG": 1}, 10 ** (3.58 + 1e-4 * np.arange(6))),
        ({"CRVAL1": 3.58, "CDELT1": 1e-4, "CTYPE1": "WAVE-LOG10"}, 10 ** (3.58 + 1e-4 * np.arange(6))),
    ],
)
def test_wavelengths_of_keywords(tmp_path, keywords, wave):
    np.testing.assert_allclose(open_arrays(saved(tmp_path, table(**keywords))).wave_angstrom(), wave, rtol=1e-12)


def test_fluxes_as_an_image_next_to_a_table(tmp_path):
    catalog = {key: COLUMNS[key] for key in ("TARGETID", "CLASS")}
    path = saved(tmp_path, fits.ImageHDU(FLUX, name="FLUX"), fits.ImageHDU(WAVE, name="WAVE"), table(catalog))
    reader = open_arrays(path, id_key="TARGETID")
    assert reader.catalog()["label"].tolist()[:2] == ["STAR", "QSO"]
    np.testing.assert_array_equal(np.concatenate(reader.read(np.array([6, 2])).flux), FLUX[[6, 2]])


def test_unsigned_and_scaled_numbers_are_what_they_stand_for(tmp_path):
    ids = np.array([2**64 - 1, 0, 3, 4, 5, 6, 7], np.uint64)
    columns = [fits.Column("ID", "K", bzero=2**63, array=ids)]
    columns.append(fits.Column("FLUX", "6I", array=np.full((7, 6), 5, np.int16)))
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header["TSCAL2"], hdu.header["TZERO2"] = 0.5, 10.0
    path = saved(tmp_path, hdu)
    reader = open_arrays(path)
    assert reader.catalog()["id"].tolist() == [str(i) for i in ids]
    np.testing.assert_array_equal(reader.read(np.array([1])).flux[0], np.full((1, 6), 12.5, np.float32))


@pytest.mark.parametrize("as_catalog", [False, True])
def test_whole_numbers_stay_exact_if_some_are_missing(tmp_path, as_catalog):
    """Those that are missing are TNULL in the file."""
    groups = np.array([2**60 + 1, 2**60 + 3, -1, 5, 6, 7, -1])
    columns = [fits.Column("GROUP", "K", array=groups, null=-1), fits.Column("FIBER", "K", array=groups, null=-1)]
    columns.append(fits.Column("FLUX", "6E", array=FLUX))
    path = saved(tmp_path, fits.BinTableHDU.from_columns(columns))
    found = read_catalog_table(path, {}) if as_catalog else open_arrays(path).catalog()
    fiber, group = "FIBER", "GROUP" if as_catalog else "group"
    assert found[fiber].dtype == "Int64"
    assert found[fiber].dropna().tolist() == groups[groups > 0].tolist()
    assert found[fiber].isna().tolist() == found[group].isna().tolist() == (groups < 0).tolist()
    assert [str(value) for value in found[group].dropna()] == [str(value) for value in groups[groups > 0]]


def test_air_wavelengths_are_converted(tmp_path):
    path = saved(tmp_path, table(), fits.ImageHDU(WAVE, name="WAVELENGTH"))
    reader = open_arrays(path, wave_medium="air")
    np.testing.assert_array_equal(reader.wave_angstrom(), vacuum_angstrom(WAVE))
    assert reader.wave_medium == "vacuum" and reader.settings()["wave_medium"] == "air"
    assert open_arrays(path).wave_medium is None


@pytest.mark.parametrize(
    ("hdus", "options", "sentence"),
    [
        ([table({"FLUX": ("E", FLUX[:, 0]), "LOGLAM": ("E", FLUX[:, 1])})], {}, r"flux in .* \[7\], not \[N, L\]"),
        ([table({"A": ("E", FLUX[:, 0])})], {}, "has no 'flux', .*it has A; a file of a single spectrum is read by"),
        ([table({"FLUX": ("6A", ["x"] * 7)})], {}, r"The flux in .* has shape \[7\], not \[N, L\]"),
        ([table({"FLUX": ("PE()", np.array([FLUX[0], FLUX[1, :3]], object))})], {}, r"shape \[2\], not \[N, L\]"),
        ([table(), fits.ImageHDU(WAVE[:4], name="WAVE")], {}, r"has shape \[4\]: for its flux it must be \[6\] or"),
        ([table(COLUMNS | WORDS)], {}, "'CLASS' in .*survey.fits has cells of lengths of their own"),
        ([table(COLUMNS | LISTS)], {"id_key": "N"}, r"'N' in .* of their own \(P or Q\): write it with"),
        ([table()], {"flux_key": "FLUXES"}, "has no 'FLUXES' .data.flux_key.: did you mean 'FLUX'"),
        ([], {}, "has no 'flux', name it by data.flux_key: it has nothing"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_one_sentence(tmp_path, hdus, options, sentence):
    with pytest.raises(UserError, match=sentence):
        open_arrays(saved(tmp_path, *hdus), **options).catalog()


@pytest.mark.parametrize("damage", ["text", "empty", "cut short", "cut header", "gzip cut short"])
def test_a_damaged_file_is_one_sentence(tmp_path, damage):
    path = tmp_path / "survey.fits"
    raw = (saved(tmp_path, table()), path.read_bytes())[1]
    damaged = {
        "text": b"no spectra here\n" * 300,
        "empty": b"",
        "cut short": raw[: -2880 - 100],
        "cut header": raw[:5000],
        "gzip cut short": gzip.compress(raw)[:-300],
    }[damage]
    path.write_bytes(damaged)
    with pytest.raises(UserError, match=r"survey.fits (cannot be read: |is not a whole gzip file: ).*\.$"):
        open_arrays(str(path)).catalog()


def test_only_the_rows_asked_for_are_read(tmp_path, monkeypatch):
    path = saved(tmp_path, table())
    reader = open_arrays(path)
    reader.catalog()
    asked: list[int] = []
    read = Hdu.read
    monkeypatch.setattr(Hdu, "read", lambda hdu, offset, num: asked.append(num) or read(hdu, offset, num))
    reader.read(np.array([2, 3]))
    row_bytes = 8 + 24 + 48 + 24 + 6 + 8
    assert asked == [2 * row_bytes] * 3  # of flux, ivar and mask


@pytest.mark.parametrize(("hdus", "most_bytes"), [([table()], 300), ([fits.ImageHDU(FLUX, name="FLUX")], 64)])
def test_rows_that_are_too_long_to_be_read_together_are_read_in_turn(tmp_path, monkeypatch, hdus, most_bytes):
    """As 512 spectra of 200,000 pixels, the rows of a packing step, are."""
    reader = open_arrays(saved(tmp_path, *hdus))
    monkeypatch.setattr(fits_hdu, "MOST_BYTES", most_bytes)
    rows = np.array([0, 1, 2, 3, 4, 6, 5])
    np.testing.assert_array_equal(np.concatenate(reader.read(rows).flux), FLUX[rows])

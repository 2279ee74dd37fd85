"""SDSS's files and catalogs, beyond what the contract suite checks."""

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from reader_cases.case import MadeSpectrum, made_spectra
from reader_cases.sdss import MJD, PLATE, SpecLiteCase, write_classes, write_plate
from survey_tests import few_spectra, no_headers, rows_of, sdss

from spectral.data.readers.fingerprints import file_stamp, join_stamps
from spectral.data.readers.survey_files import file_tree
from spectral.data.readers.survey_files.layout import UnreadableError
from spectral.data.readers.survey_files.sdss import PlateLayout

__all__ = ["no_headers"]


def catalog_of(spectra: list[MadeSpectrum], in_plates_of: int) -> Table:
    """As specObj-*.fits has it: text ids of 22 letters, and columns of several values."""
    rows = np.arange(len(spectra))
    return Table(
        {
            "SPECOBJID": [spectrum.id.rjust(22) for spectrum in spectra],
            "PLATE": (PLATE + rows // in_plates_of).astype(np.int32),
            "MJD": np.full(len(spectra), MJD, np.int32),
            "FIBERID": (rows % in_plates_of + 1 if in_plates_of == 3 else rows + 1).astype(np.int32),
            "CLASS": [spectrum.label.upper() for spectrum in spectra],
            "Z": np.array([spectrum.redshift for spectrum in spectra], np.float32),
            "ZWARNING": np.zeros(len(spectra), np.int32),
            "SN_MEDIAN_ALL": np.full(len(spectra), 2.5, np.float32),
            "SN_MEDIAN": np.ones((len(spectra), 5), np.float32),
            "PLUG_RA": [spectrum.ra_deg for spectrum in spectra],
            "PLUG_DEC": [spectrum.dec_deg for spectrum in spectra],
        }
    )


def write_plates(folder: Path, spectra: list[MadeSpectrum], with_classes: bool = True) -> None:
    for first in range(0, len(spectra), 3):
        write_plate(folder, PLATE + first // 3, spectra[first : first + 3], with_classes)


@pytest.mark.parametrize("ending", ["fits", "csv"])
@pytest.mark.parametrize("kind", ["spec", "spplate"])
@pytest.mark.usefixtures("no_headers")
def test_a_catalog_by_plate_night_and_fiber_opens_no_header(kind: str, ending: str, tmp_path: Path) -> None:
    spectra = made_spectra(5, ragged=kind == "spec")
    if kind == "spec":
        SpecLiteCase().write(tmp_path, spectra)
    else:
        write_plates(tmp_path / "spectra", spectra, with_classes=False)
    table = catalog_of(spectra, 4 if kind == "spec" else 3)[::-1]
    if ending == "csv":
        table.remove_column("SN_MEDIAN")
    table.write(tmp_path / f"specObj.{ending}")
    reader = sdss(tmp_path / "spectra", catalog=str(tmp_path / f"specObj.{ending}"), kind=kind)
    ids, labels, snr = rows_of(reader, "id", "label", "snr")
    assert ids == [spectrum.id for spectrum in reversed(spectra)]
    assert labels == [spectrum.label for spectrum in reversed(spectra)] and snr[0] == 2.5
    chunk = reader.read(np.arange(5))
    assert not chunk.problems
    for flux, spectrum in zip(chunk.flux, reversed(spectra), strict=True):
        np.testing.assert_array_equal(flux, spectrum.flux[None])


def test_a_catalog_without_ids_names_spectra_by_plate_night_and_fiber(tmp_path: Path) -> None:
    spectra = made_spectra(4, ragged=False)
    write_plates(tmp_path / "redux", spectra)
    table = catalog_of(spectra, 3)
    table.remove_columns(["SPECOBJID", "SN_MEDIAN"])
    table.write(tmp_path / "c.csv")
    reader = sdss(tmp_path / "redux", catalog=str(tmp_path / "c.csv"), kind="spplate")
    assert rows_of(reader, "id") == [["0266-51602-0001", "0266-51602-0002", "0266-51602-0003", "0267-51602-0001"]]
    assert rows_of(reader, "id") == rows_of(sdss(tmp_path / "redux", kind="spplate"), "id")


def test_a_catalog_row_with_a_missing_plate_or_an_impossible_fiber_is_a_bad_row(tmp_path: Path) -> None:
    write_plates(tmp_path / "redux", made_spectra(3, ragged=False))
    table = {"id": list("abc"), "plate": [PLATE, None, PLATE], "mjd": MJD, "fiberid": [2, 1, 700], "class": "QSO"}
    pd.DataFrame(table).to_csv(tmp_path / "c.csv", index=False)
    reader = sdss(tmp_path / "redux", catalog=str(tmp_path / "c.csv"), kind="spplate")
    reader.catalog()
    problems = reader.read(np.arange(3)).problems
    assert list(problems) == [1, 2] and problems[1].startswith("missing file")
    assert problems[2] == "wrong layout: HDU 0 has 3 fibers, none with number 700 (spPlate-0266-51602.fits)"


@pytest.mark.parametrize("with_ids", [True, False])
def test_a_catalog_row_without_a_fiber_is_a_bad_row(tmp_path: Path, with_ids: bool) -> None:
    write_plates(tmp_path / "redux", made_spectra(3, ragged=False))
    table = {"id": list("abcde"), "plate": [PLATE, PLATE, PLATE, None, None], "mjd": MJD, "class": "QSO"}
    table |= {"fiberid": ["2", None, "second", "1", "1"]}
    pd.DataFrame(table).drop(columns=[] if with_ids else ["id"]).to_csv(tmp_path / "c.csv", index=False)
    reader = sdss(tmp_path / "redux", catalog=str(tmp_path / "c.csv"), kind="spplate")
    assert reader.catalog()["id"].is_unique
    problems = reader.read(np.arange(5)).problems
    assert list(problems) == [1, 2, 3, 4]
    assert problems[1] == problems[2] == "no place in its file: spPlate-0266-51602.fits"


def test_a_catalog_of_ids_and_classes_decides_by_its_own_warnings_and_a_list_of_before_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the files, which are 0, decided before. The stamp of many files alone would be the same now."""
    monkeypatch.setattr(file_tree, "MOST_STAMPED", 0)
    spectra, catalog = few_spectra(3), tmp_path / "c.csv"
    SpecLiteCase().write(tmp_path, spectra)
    table = {"specobjid": [spectrum.id for spectrum in spectra], "class": "STAR", "zWarning": [4, 0, 4]}
    pd.DataFrame(table).to_csv(catalog, index=False)
    reader = sdss(tmp_path / "spectra", catalog=str(catalog))
    assert rows_of(reader, "label") == [[None, "star", None]]
    files = file_tree.find_files(str(tmp_path / "spectra"), reader.layout.endings, reader.layout.beginnings)
    assert reader.fingerprint() != join_stamps([files.stamp, file_stamp(catalog)])


@pytest.mark.parametrize(
    ("options", "extra"),
    [
        ({}, []),
        ({"bad_flags": ["any"]}, [1]),
        ({"bad_flags": ["NEARBADPIXEL", "BRIGHTSKY"]}, [1]),
        ({"bad_flags": []}, None),
    ],
)
@pytest.mark.parametrize("kind", ["spec", "spplate"])
def test_bad_pixels_are_those_with_the_flags_that_the_config_names(
    kind: str, options: dict[str, list[str]], extra: list[int] | None, tmp_path: Path
) -> None:
    spectra = made_spectra(3, ragged=False)
    SpecLiteCase().write(tmp_path, spectra)
    write_plates(tmp_path / "spectra", spectra)
    reader = sdss(tmp_path / "spectra", kind=kind, **options)
    reader.catalog()
    mask = reader.read(np.array([2])).mask
    expected = [] if extra is None else sorted([*np.flatnonzero(spectra[2].bad).tolist(), *extra])
    assert mask is not None and np.flatnonzero(mask[0]).tolist() == expected
    any_exposure = sdss(tmp_path / "spectra", kind=kind, mask="or", bad_flags=["BRIGHTSKY"])
    any_exposure.catalog()
    mask = any_exposure.read(np.array([0])).mask
    assert mask is not None and mask[0].all()


@pytest.mark.parametrize(
    ("flag", "bit", "is_bad"),
    [
        ("MANYBADCOLUMNS", 4, False),
        ("BADSKYFIBER", 7, False),
        ("NEARBADPIXEL", 16, False),
        ("FULLREJECT", 18, True),
        ("NOSKY", 22, True),
        ("BRIGHTSKY", 23, True),
        ("REDMONSTER", 28, True),
    ],
)
def test_flags_of_a_whole_half_are_not_bad_by_default(
    flag: str, bit: int, is_bad: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as MANYBADCOLUMNS, which good spectra have in a thousand pixels and more."""
    (spectrum,) = made_spectra(1, ragged=False)
    half = np.arange(len(spectrum.flux)) < len(spectrum.flux) // 2
    monkeypatch.setattr("reader_cases.sdss.flags", lambda _: np.where(half, 1 << bit, 0).astype(np.int32))
    SpecLiteCase().write(tmp_path, [spectrum])
    by_default, by_name = sdss(tmp_path / "spectra"), sdss(tmp_path / "spectra", bad_flags=[flag])
    for reader, expected in ((by_default, half & is_bad), (by_name, half)):
        reader.catalog()
        mask = reader.read(np.array([0])).mask
        assert mask is not None
        np.testing.assert_array_equal(mask[0], expected)


def without_columns(path: Path, hdu: int, names: set[str], new_name: str | None = None) -> None:
    with fits.open(path) as hdus:
        kept = [column for column in hdus[hdu].columns if column.name not in names]
        changed = fits.BinTableHDU.from_columns(kept, name=new_name or hdus[hdu].name)
        whole = fits.HDUList([*hdus[:hdu], changed, *hdus[hdu + 1 :]])
        content = [each.copy() for each in whole]
    fits.HDUList(content).writeto(path, overwrite=True)


def test_spectra_of_boss_have_no_specobjid_and_are_named_by_their_file(tmp_path: Path) -> None:
    spectra = few_spectra(2)
    SpecLiteCase().write(tmp_path, spectra)
    for path in (tmp_path / "spectra").rglob("*.fits"):
        without_columns(path, 2, {"SPECOBJID"}, "SPALL")
    assert rows_of(sdss(tmp_path / "spectra"), "id") == [["0266-51602-0001", "0266-51602-0002"]]


def test_a_file_of_another_layout_says_what_was_expected(tmp_path: Path) -> None:
    SpecLiteCase().write(tmp_path, few_spectra(3))
    first, second, third = sorted((tmp_path / "spectra").rglob("*.fits"))
    without_columns(first, 1, {"loglam"})
    without_columns(third, 1, {"ivar"})
    fits.PrimaryHDU().writeto(second, overwrite=True)
    reader = sdss(tmp_path / "spectra")
    reader.catalog()
    assert reader.read(np.arange(3)).problems == {
        0: "wrong layout: HDU 1 has no column loglam with a number per row (0266/spec-0266-51602-0001.fits)",
        1: "wrong layout: no HDU 2 with a row of SPECOBJ, there are HDU 0 PRIMARY (0266/spec-0266-51602-0002.fits)",
        2: "wrong layout: HDU 1 has no column ivar with a number per row (0266/spec-0266-51602-0003.fits)",
    }


def test_labels_of_a_plate_come_from_the_file_of_best_fits_in_the_folder_of_its_run_too(tmp_path: Path) -> None:
    spectra = made_spectra(3, ragged=False)
    write_plates(tmp_path / "redux", spectra, with_classes=False)
    (tmp_path / "redux" / "v5_13_2").mkdir()
    for _ in range(2):  # the cache, which is made in the folder, changes the folder's time once
        (without,) = rows_of(sdss(tmp_path / "redux", kind="spplate"), "label")
        assert without == [None, None, None]
    assert rows_of(sdss(tmp_path / "redux", kind="spplate"), "ra_deg") == [[spectrum.ra_deg for spectrum in spectra]]
    write_classes(tmp_path / "redux" / "v5_13_2" / "spZbest-0266-51602.fits", spectra)
    (labels,) = rows_of(sdss(tmp_path / "redux", kind="spplate"), "label")
    assert labels == [spectrum.label for spectrum in spectra]


def test_of_several_runs_the_best_fits_of_the_latest_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for run in ("v5_7_0", "v5_13_2", "v5_7_2"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "spZbest-0266-51602.fits").touch()
    runs = [tmp_path / run for run in ("v5_13_2", "v5_7_0", "v5_7_2")]
    monkeypatch.setattr(Path, "glob", lambda _, pattern: [run / pattern.partition("/")[2] for run in runs[::-1]])
    found = PlateLayout(["any"], "and").redshift_file(tmp_path / "spPlate-0266-51602.fits")
    assert found == tmp_path / "v5_13_2" / "spZbest-0266-51602.fits"


def test_best_fits_of_other_fibers_make_a_plate_unreadable(tmp_path: Path) -> None:
    spectra = made_spectra(3, ragged=False)
    write_plates(tmp_path / "redux", spectra)
    write_classes(tmp_path / "redux" / "spZbest-0266-51602.fits", spectra[:2])
    reader = sdss(tmp_path / "redux", kind="spplate")
    assert rows_of(reader, "id") == [["spPlate-0266-51602"]]
    assert reader.read(np.array([0])).problems[0] == (
        "unreadable redshifts: spZbest-0266-51602.fits has no FIBERID from 1 to 3 (spPlate-0266-51602.fits)"
    )


def test_a_plate_is_read_by_rows_and_not_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spectra = made_spectra(3, ragged=False)
    write_plates(tmp_path / "redux", spectra)
    reader = sdss(tmp_path / "redux", kind="spplate")
    reader.catalog()
    read: list[int] = []
    monkeypatch.setattr(
        "spectral.data.readers.survey_files.fits_hdu.Hdu.read",
        lambda hdu, offset, num: read.append(num) or hdu.file.read(hdu.start + offset, num),
    )
    np.testing.assert_array_equal(reader.read(np.array([1])).flux[0], spectra[1].flux[None])
    assert max(read) == 4 * len(spectra[0].flux)


@pytest.mark.parametrize(("keyword", "value"), [("NAXIS1", 2**31), ("NAXIS2", 10**9)])
def test_a_plate_whose_header_asks_for_too_much_takes_no_memory(keyword: str, value: int, tmp_path: Path) -> None:
    write_plates(tmp_path / "redux", made_spectra(3, ragged=False), with_classes=False)
    reader = sdss(tmp_path / "redux", kind="spplate")
    reader.catalog()
    path = tmp_path / "redux" / "spPlate-0266-51602.fits"
    content = path.read_bytes()
    at = content.index(f"{keyword:8}= ".encode())
    path.write_bytes(content[:at] + str(fits.Card(keyword, value)).encode() + content[at + 80 :])
    tracemalloc.start()
    try:
        for layout in (reader.layout.entries, lambda path: reader.layout.read(path, [0, 5])):
            with pytest.raises(UnreadableError):
                layout(path)
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()

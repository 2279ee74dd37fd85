"""Catalogs of LAMOST: which spectra they list, and which rows and files do not fit."""

import gzip
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from reader_cases.case import MadeSpectrum
from reader_cases.lamost import LamostImageCase, LamostTableCase
from survey_tests import few_spectra, lamost, no_headers, rows_of

from spectral.errors import UserError

__all__ = ["no_headers"]


def catalog_of(spectra: list[MadeSpectrum]) -> pd.DataFrame:
    """As LAMOST's general catalog; spectra are those that LamostCase writes."""
    rows = range(len(spectra))
    return pd.DataFrame(
        {
            "obsid": [int(spectrum.id) for spectrum in spectra],
            "uid": [f"G{row // 2}" for row in rows],
            "lmjd": 55862,
            "planid": [f"B{row // 4:04d}" for row in rows],
            "spid": 1,
            "fiberid": list(rows),
            "snrr": [10.0 + row for row in rows],
            "class": [spectrum.label.upper() for spectrum in spectra],
            "z": [spectrum.redshift for spectrum in spectra],
        }
    )


def write_catalog(table: pd.DataFrame, path: Path) -> Path:
    if path.name.endswith(".fits"):
        Table.from_pandas(table).write(path)
    elif path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(table.to_csv(sep="|", index=False).encode()))
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, sep="," if path.suffix == ".tsv" else "|", index=False)
    return path


def test_a_redshift_of_minus_9999_in_a_catalog_is_none(tmp_path: Path) -> None:
    spectra = few_spectra(3)
    LamostImageCase().write(tmp_path, spectra)
    catalog = write_catalog(catalog_of(spectra).assign(z=[-9999.0, -0.001, 1.5]), tmp_path / "c.csv")
    assert rows_of(lamost(tmp_path / "spectra", catalog=str(catalog)), "redshift") == [[None, -0.001, 1.5]]


def test_whole_numbers_that_are_missing_in_a_fits_catalog_are_no_values(tmp_path: Path) -> None:
    """As astropy writes a masked column: 999999 in the file, and TNULL says so."""
    spectra = few_spectra(3)
    LamostImageCase().write(tmp_path, spectra)
    missing = pd.array([7, None, None], dtype="Int64")
    catalog = write_catalog(catalog_of(spectra).assign(uid=missing, **{"class": missing}), tmp_path / "c.fits")
    groups, labels = rows_of(lamost(tmp_path / "spectra", catalog=str(catalog)), "group", "label")
    assert (groups, labels) == (["7", None, None], ["7", None, None])


@pytest.mark.parametrize("name", ["c.csv", "c.csv.gz", "c.fits", "c.parquet", "c.tsv"])
@pytest.mark.usefixtures("no_headers")
def test_a_catalog_of_each_kind_lists_the_spectra_without_opening_a_header(name: str, tmp_path: Path) -> None:
    spectra = few_spectra(6)
    LamostImageCase().write(tmp_path, spectra)
    table = catalog_of(spectra).iloc[::-1]
    reader = lamost(tmp_path / "spectra", catalog=str(write_catalog(table, tmp_path / name)))
    ids, labels, groups, snr, redshifts = rows_of(reader, "id", "label", "group", "snr", "redshift")
    assert ids == [spectrum.id for spectrum in reversed(spectra)]
    assert labels == [spectrum.label for spectrum in reversed(spectra)]
    assert groups == ["G2", "G2", "G1", "G1", "G0", "G0"]
    assert (snr[0], redshifts[0]) == (15.0, spectra[5].redshift)
    chunk = reader.read(np.array([0, 5]))
    for flux, spectrum in zip(chunk.flux, (spectra[5], spectra[0]), strict=True):
        np.testing.assert_array_equal(flux, spectrum.flux[None])


def test_a_row_without_a_file_is_a_bad_row_and_a_file_without_a_row_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spectra = few_spectra(4)
    LamostImageCase().write(tmp_path, spectra)
    table = catalog_of(spectra).iloc[1:]
    table.loc[2, "planid"] = "M31"
    catalog = write_catalog(table, tmp_path / "c.csv")
    reader = lamost(tmp_path / "spectra", catalog=str(catalog))
    with caplog.at_level(logging.INFO):
        assert rows_of(reader, "id") == [[spectrum.id for spectrum in spectra[1:]]]
        said = [record.getMessage() for record in caplog.records]
        assert (
            "2 of 4 files are in no row of data.catalog" in caplog.text and "flux: the files of data.folder" in said[1]
        )
        again = lamost(tmp_path / "spectra", catalog=str(catalog))  # from the list that was kept
        _ = again.catalog(), again.catalog()
    assert [record.getMessage() for record in caplog.records] == 2 * said and len(said) == 2
    assert caplog.records[2].levelno == logging.WARNING
    assert reader.read(np.arange(3)).problems == {1: "missing file: spec-55862-M31_sp01-002.fits"}


@pytest.mark.usefixtures("no_headers")
def test_files_named_by_their_obsid_are_found(tmp_path: Path) -> None:
    spectra = few_spectra(3)
    for spectrum in spectra:
        (tmp_path / "s").mkdir(exist_ok=True)
        LamostTableCase().hdus(spectrum).writeto(tmp_path / "s" / f"{spectrum.id}.fits")
    reader = lamost(tmp_path / "s", catalog=str(write_catalog(catalog_of(spectra), tmp_path / "c.csv")))
    reader.catalog()
    np.testing.assert_array_equal(reader.read(np.array([2])).flux[0], spectra[2].flux[None])


@pytest.mark.usefixtures("no_headers")
@pytest.mark.parametrize("form", ["plan0/{}.fits", "{}.fits", "{}", "{root}/plan0/{}.fits", " plan0/{}.fits "])
def test_a_column_of_file_names_may_have_folders_and_endings_or_not(form: str, tmp_path: Path) -> None:
    spectra = few_spectra(2)
    LamostImageCase().write(tmp_path, spectra)
    root = tmp_path / "spectra"
    names = [form.format(f"spec-55862-B0000_sp01-{row:03d}", root=root) for row in (1, 0)]
    catalog = write_catalog(pd.DataFrame({"path": names, "type": ["a", "b"]}), tmp_path / "c.parquet")
    reader = lamost(root, catalog=str(catalog), file_key="path", label_key="type")
    assert rows_of(reader, "id", "label") == [["spec-55862-B0000_sp01-001", "spec-55862-B0000_sp01-000"], ["a", "b"]]
    np.testing.assert_array_equal(reader.read(np.array([0])).flux[0], spectra[1].flux[None])


@pytest.mark.usefixtures("no_headers")
def test_columns_called_as_those_of_the_list_are_kept_under_another_name(tmp_path: Path) -> None:
    spectra = few_spectra(2)
    LamostImageCase().write(tmp_path, spectra)
    table = catalog_of(spectra).assign(file=["x", "y"], problem=["faint", None])
    reader = lamost(tmp_path / "spectra", catalog=str(write_catalog(table, tmp_path / "c.csv")))
    assert rows_of(reader, "file_in_source", "problem_in_source") == [["x", "y"], ["faint", None]]
    assert reader.catalog()["file"].str.endswith(".fits").all() and not reader.read(np.arange(2)).problems
    labels = lamost(tmp_path / "spectra", catalog=str(tmp_path / "c.csv"), label_key="problem", class_map={})
    assert rows_of(labels, "label") == [["faint", None]]


@pytest.mark.usefixtures("no_headers")
def test_a_name_that_several_folders_have_is_a_bad_row_unless_the_folder_is_named(tmp_path: Path) -> None:
    case, spectra = LamostImageCase(), few_spectra(2)
    for folder, spectrum in zip("ab", spectra, strict=True):
        (tmp_path / "s" / folder).mkdir(parents=True)
        case.hdus(spectrum).writeto(tmp_path / "s" / folder / "spec.fits")
    catalog = write_catalog(pd.DataFrame({"id": [1, 2, 3], "f": ["spec", "b/spec.fits", "x"]}), tmp_path / "c.csv")
    reader = lamost(tmp_path / "s", catalog=str(catalog), file_key="f")
    reader.catalog()
    chunk = reader.read(np.arange(3))
    assert chunk.problems == {0: "several files of this name: spec", 2: "missing file: x"}
    np.testing.assert_array_equal(chunk.flux[1], spectra[1].flux[None])


def test_a_file_that_a_column_names_is_not_replaced_by_one_that_is_named_as_the_id(tmp_path: Path) -> None:
    case, spectra = LamostImageCase(), few_spectra(2)
    (tmp_path / "s").mkdir()
    for name, spectrum in zip(("mine", "2"), spectra, strict=True):
        case.hdus(spectrum).writeto(tmp_path / "s" / f"{name}.fits")
    catalog = write_catalog(pd.DataFrame({"id": [1, 2], "f": ["mine.fits", "gone.fits"]}), tmp_path / "c.csv")
    reader = lamost(tmp_path / "s", catalog=str(catalog), file_key="f")
    reader.catalog()
    assert reader.read(np.arange(2)).problems == {1: "missing file: gone.fits"}


def test_a_catalog_that_fits_no_file_is_one_sentence(tmp_path: Path) -> None:
    spectra = few_spectra(2)
    LamostImageCase().write(tmp_path, spectra)
    table = catalog_of(spectra).assign(lmjd=50000)
    catalog = write_catalog(table, tmp_path / "c.csv")
    with pytest.raises(UserError, match=r"None of the 2 files that data\.catalog=.* asks for is in"):
        lamost(tmp_path / "spectra", catalog=str(catalog)).catalog()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no header line"),
        (b"obsid|class\n1|STAR\n2\n", "cannot be read"),
        (b"obsid|class\n1|STAR\n1|STAR\n", "has the id '1' more than once"),
        (b"obsid|obsid\n1|2\n", "has the column 'obsid' more than once"),
        (b"obsid|class\n", "has no rows"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_catalog_that_cannot_be_used_is_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, few_spectra(1))
    (tmp_path / "c.csv").write_bytes(content)
    with pytest.raises(UserError, match=sentence) as caught:
        lamost(tmp_path / "spectra", catalog=str(tmp_path / "c.csv")).catalog()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["c.fits", "c.csv.gz", "c.parquet"])
@pytest.mark.parametrize("content", [b"", b"no table here\n" * 300], ids=["empty", "text"])
def test_a_damaged_catalog_is_one_sentence(name: str, content: bytes, tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, few_spectra(1))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=r"data\.catalog=.*\.$"):
        lamost(tmp_path / "spectra", catalog=str(tmp_path / name)).catalog()


def test_classes_are_mapped_whatever_the_capitals(tmp_path: Path) -> None:
    spectra = few_spectra(4)
    LamostImageCase().write(tmp_path, spectra)
    reader = lamost(
        tmp_path / "spectra", class_map={"galaxy": "extragalactic", "QSO": "extragalactic", "UNKNOWN": None}
    )
    assert rows_of(reader, "label") == [["STAR", "extragalactic", "extragalactic", None]]
    named = lamost(tmp_path / "spectra", class_names=["Star", "GALAXY", "qso", "unknown"])
    assert rows_of(named, "label") == [["Star", "GALAXY", "qso", "unknown"]]
    by_word = lamost(tmp_path / "spectra", class_names=["STAR", "GALAXY", "Quasar", "unknown"])
    assert rows_of(by_word, "label") == [["STAR", "GALAXY", "Quasar", "unknown"]]


def test_repeat_visits_share_a_group_by_position(tmp_path: Path) -> None:
    spectra = few_spectra(4)
    LamostImageCase().write(tmp_path, spectra)
    path = next((tmp_path / "spectra").rglob("*-003.fits"))
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["RA"], hdus[0].header["DEC"] = spectra[1].ra_deg, spectra[1].dec_deg + 1.5 / 3600
    (groups,) = rows_of(lamost(tmp_path / "spectra"), "group")
    assert groups[1] == groups[3] and len(set(groups)) == 3
    (apart,) = rows_of(lamost(tmp_path / "spectra", match_arcsec=1.0), "group")
    assert len(set(apart)) == 4

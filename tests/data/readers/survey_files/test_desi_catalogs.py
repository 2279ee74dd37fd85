"""`data=desi` with a catalog: what it says of the spectra of the files, and which warnings count."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from desi_files import FIRST_ID, write_desi, write_redrock

from spectral.configs.data import readers
from spectral.data.readers.survey_files.reader import SurveyFilesReader

IDS = [FIRST_ID + 2 * i for i in range(5)]


def opened(folder: Path, **options: object) -> SurveyFilesReader:
    grid = {"kind": "linear", "start_angstrom": 3600.0, "stop_angstrom": 9824.0, "step": 0.8}
    config = readers.typed({"name": "desi", "folder": str(folder), "num_workers": 1, "grid": grid, **options})
    return readers.build(config, cache_dir=folder.parent / "cache")


def zcatalog(path: Path) -> str:
    table = Table({"TARGETID": np.array([IDS[1], IDS[1], IDS[0]], np.int64), "SURVEY": ["sv3", "main", "sv3"]})
    table["PROGRAM"], table["HEALPIX"] = ["bright", "dark", "bright"], [10378, 10378, 10378]
    table["SPECTYPE"], table["Z"] = ["GALAXY", "QSO", "STAR"], [0.1, 1.5, 0.0]
    table.write(path)
    return str(path)


def test_a_redshift_catalog_says_what_a_spectrum_of_a_file_is(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "sv3" / "coadd-sv3-bright-10378.fits", IDS[:2])
    write_desi(tmp_path / "d" / "main" / "coadd-main-dark-10378.fits", IDS[1:3])
    catalog = opened(tmp_path / "d", catalog=zcatalog(tmp_path / "d" / "zall-pix-fuji.fits")).catalog()
    assert catalog["label"].tolist() == ["qso", "star", "galaxy"]  # the last of the main file has no row
    assert catalog["redshift"].tolist() == [1.5, 0.0, 0.1]
    assert catalog["id"].tolist() == [f"{IDS[1]}-main-dark-10378", f"{IDS[0]}", f"{IDS[1]}-sv3-bright-10378"]


@pytest.mark.parametrize("ending", ["fits", "parquet"])
def test_columns_of_several_values_are_named_among_what_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS[:2])
    path, coefficients = tmp_path / f"zall.{ending}", [[1.0, 2.0], [3.0, 4.0]]
    if ending == "fits":
        table = Table({"TARGETID": IDS[:2], "SPECTYPE": ["STAR", "QSO"], "COEFF": coefficients})
        table.write(path)
    else:
        pd.DataFrame({"TARGETID": IDS[:2], "SPECTYPE": ["STAR", "QSO"], "COEFF": coefficients}).to_parquet(path)
    with caplog.at_level("INFO"):
        assert "COEFF" not in opened(tmp_path / "d", catalog=str(path)).catalog()
    assert "left out: COEFF (several values a row)." in caplog.text


@pytest.mark.parametrize("column", ["ZWARN", "zwarning"])
def test_the_warning_that_counts_is_of_the_catalog_that_gives_the_class(tmp_path: Path, column: str) -> None:
    files = {"sv3": IDS[:2], "main": IDS[2:4]}  # one with Redrock's file next to it, one without
    for name, ids in files.items():
        write_desi(tmp_path / "d" / f"coadd-{name}-bright-10378.fits", ids)
    write_redrock(tmp_path / "d" / "redrock-sv3-bright-10378.fits", IDS[:2], ["QSO", "QSO"], ZWARN=[0, 4])
    table = pd.DataFrame({"TARGETID": IDS[:4], "SPECTYPE": ["STAR"] * 4, column: [4, 0, 4, 0]})
    table.to_csv(tmp_path / "z.csv", index=False)
    catalog = opened(tmp_path / "d", catalog=str(tmp_path / "z.csv")).catalog().set_index("id")
    labels = {IDS[0]: "-", IDS[1]: "star", IDS[2]: "-", IDS[3]: "star"}
    assert {int(i): label for i, label in catalog["label"].fillna("-").items()} == labels
    assert "zwarn" not in catalog and catalog[column].tolist() == [4, 0, 4, 0]


def test_without_warnings_in_the_catalog_those_of_the_files_count(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS[:2])
    write_redrock(tmp_path / "d" / "redrock-sv3-bright-10378.fits", IDS[:2], ["QSO", "QSO"], ZWARN=[0, 4])
    pd.DataFrame({"TARGETID": IDS[:2], "SPECTYPE": ["STAR", "STAR"]}).to_csv(tmp_path / "z.csv", index=False)
    catalog = opened(tmp_path / "d", catalog=str(tmp_path / "z.csv")).catalog()
    assert catalog["label"].fillna("-").tolist() == ["star", "-"]


def test_a_catalog_of_objects_labels_all_their_exposures(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "spectra-sv3-bright-10378.fits", [IDS[0], IDS[0], IDS[1]], exposures=[1, 2, 2])
    pd.DataFrame({"TARGETID": IDS[:2], "SPECTYPE": ["STAR", "QSO"]}).to_csv(tmp_path / "z.csv", index=False)
    catalog = opened(tmp_path / "d", kind="spectra", catalog=str(tmp_path / "z.csv")).catalog()
    assert catalog["label"].tolist() == ["star", "star", "qso"] and catalog["id"][2] == f"{IDS[1]}-2"

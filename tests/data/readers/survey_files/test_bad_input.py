"""Files as disks and downloads leave them: what is skipped and counted, and what an error says."""

import gzip
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from reader_cases.case import made_spectra
from reader_cases.lamost import LamostGzipCase, LamostImageCase
from reader_cases.sdss import SpecLiteCase
from survey_tests import few_spectra, lamost, rows_of, sdss

from spectral.configs.data import GridConfig
from spectral.configs.survey_files import LamostConfig, SdssConfig
from spectral.data.packing.pack import pack
from spectral.errors import UserError
from spectral.survey import Survey

GRID = GridConfig("log", 4000.0, 4020.0, 1e-4)


def config(kind: Any, folder: Path, **options: Any) -> Any:
    return kind(folder=str(folder), grid=GRID, num_workers=1, **options)


def packed(tmp_path: Path, **options: Any) -> Survey:
    folder = tmp_path / "spectra"
    return pack(lamost(folder), config(LamostConfig, folder, **options), tmp_path / "pack", progress=False)


def rewritten(change: Callable[[np.ndarray], None]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with fits.open(path) as hdus:
            data, header = hdus[0].data.copy(), hdus[0].header.copy()
        change(data)
        fits.PrimaryHDU(data, header).writeto(path, overwrite=True)

    return damage


def fill(row: int, value: object) -> Callable[[np.ndarray], None]:
    return lambda data: data.__setitem__(row, value)


def with_card(keyword: str, value: object) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = path.read_bytes()
        at = content.index(f"{keyword:8}= ".encode())
        path.write_bytes(content[:at] + str(fits.Card(keyword, value)).encode() + content[at + 80 :])

    return damage


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-2880]), "cut short"),
    "cut in its header": (lambda path: path.write_bytes(path.read_bytes()[:1000]), "cut short"),
    "empty": (lambda path: path.write_bytes(b""), "empty file"),
    "text": (lambda path: path.write_text("wavelength,flux\n4000,1\n"), "not a FITS file"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), ""),
    "a dangling link": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "unreadable file"),
    "another layout": (lambda path: fits.PrimaryHDU(np.ones((3, 40))).writeto(path, overwrite=True), "wrong layout"),
    "ten to the nine pixels": (with_card("NAXIS1", 10**9), "cut short"),
    "no sound number of pixels": (with_card("NAXIS1", -3), "damaged FITS"),
    "no inverse variance": (rewritten(fill(1, 0)), "no good pixel"),
    "negative inverse variance": (rewritten(fill(1, -1)), "no good pixel"),
    "wavelengths that stand still": (with_card("COEFF1", 0.0), "wavelengths that neither rise nor fall"),
    "wavelengths elsewhere": (with_card("COEFF0", 4.2), "outside the grid"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_bad_file_is_skipped_and_counted_by_its_reason_or_named_in_an_error(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage, reason = DAMAGES[name]
    spectra = few_spectra(4)
    LamostImageCase().write(tmp_path, spectra)
    path = tmp_path / "spectra" / "plan0" / "spec-55862-B0000_sp01-002.fits"
    damage(path)
    if name == "a folder":  # is none of the files
        assert len(packed(tmp_path, on_bad="error").catalog) == 3
        return
    with caplog.at_level(logging.WARNING):
        survey = packed(tmp_path, on_bad="skip")
    assert survey.skipped == {reason: 1}
    assert json.loads((tmp_path / "pack" / "survey.json").read_text())["skipped"] == {reason: 1}
    assert f"Left out 1 of 4 spectra: {reason}." in caplog.text
    assert survey.catalog["id"].tolist() == [spectra[row].id for row in (0, 1, 3)]
    with pytest.raises(UserError) as caught:
        packed(tmp_path, on_bad="error")
    message = str(caught.value)
    assert reason in message and "plan0/spec-55862-B0000_sp01-002.fits" in message and "\n" not in message
    assert "data.on_bad=skip leaves it out" in message


ODD = {"negative": -5.0, "constant": 3.0, "zero": 0.0, "enormous": np.linspace(1e30, -1e30, 48)}


@pytest.mark.parametrize("name", ODD)
def test_odd_fluxes_that_are_numbers_are_no_bad_rows(name: str, tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, made_spectra(2, ragged=False))
    rewritten(fill(0, ODD[name]))(next((tmp_path / "spectra").rglob("*-001.fits")))
    survey = packed(tmp_path, on_bad="error")
    assert len(survey.catalog) == 2 and np.isfinite(survey.flux).all()


def test_flux_of_nan_alone_is_found_by_its_rules(tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, few_spectra(3))
    rewritten(fill(0, np.nan))(next((tmp_path / "spectra").rglob("*-001.fits")))
    place = r"\(plan0/spec-55862-B0000_sp01-001\.fits, row 0\)"
    with pytest.raises(UserError, match=rf"Spectrum \d+ {place}: flux not finite: at pixel \d+; data\.nan=mask"):
        packed(tmp_path)
    assert packed(tmp_path, nan="skip").skipped == {"flux not finite": 1}
    assert packed(tmp_path, nan="mask", on_bad="skip").skipped == {"no good pixel": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (gzip.compress(b"not FITS" * 999), "not a FITS file"),
        (b"\x1f\x8b\x08\x00 and then nonsense", "damaged gzip"),
    ],
    ids=["empty", "text", "nonsense"],
)
def test_bad_gzip_files(content: bytes, reason: str, tmp_path: Path) -> None:
    LamostGzipCase().write(tmp_path, few_spectra(3))
    next((tmp_path / "spectra").rglob("*-001.fits.gz")).write_bytes(content)
    assert packed(tmp_path, on_bad="skip").skipped == {reason: 1}


def test_a_gzip_file_that_is_cut_anywhere_is_a_bad_row(tmp_path: Path) -> None:
    LamostGzipCase().write(tmp_path, few_spectra(1))
    path = next((tmp_path / "spectra").rglob("*.fits.gz"))
    content = path.read_bytes()
    for length in range(0, len(content) - 8, 97):  # the last 8 bytes are a check sum, which reading need not reach
        path.write_bytes(content[:length])
        reader = lamost(tmp_path / "spectra")
        reader.catalog()
        (reason,) = reader.read(np.array([0])).problems.values()
        assert reason.partition(":")[0] in ("empty file", "damaged gzip", "cut short", "not a FITS file")


def test_duplicate_ids_are_bad_rows_that_name_both_files(tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, few_spectra(3))
    first = tmp_path / "spectra" / "plan0" / "spec-55862-B0000_sp01-001.fits"
    (tmp_path / "spectra" / "plan1").mkdir()
    (tmp_path / "spectra" / "plan1" / "copy.fits").write_bytes(first.read_bytes())
    survey = packed(tmp_path, on_bad="skip")
    assert survey.skipped == {"duplicate id": 1} and len(survey.catalog) == 3
    with pytest.raises(
        UserError, match=r"duplicate id: \d+ in plan1/copy\.fits, also in plan0/spec-55862-B0000_sp01-001"
    ):
        packed(tmp_path, on_bad="error")


@pytest.mark.parametrize("case", [LamostImageCase(), LamostGzipCase()])
@pytest.mark.parametrize("share_left", [0, 0.5])
def test_a_damaged_first_copy_leaves_its_id_to_the_good_one(
    case: LamostImageCase, share_left: float, tmp_path: Path
) -> None:
    """As when a download that was cut is fetched again, into another folder."""
    case.write(tmp_path, few_spectra(3))
    expected = lamost(tmp_path / "spectra").catalog()["id"].tolist()
    path = min((tmp_path / "spectra" / "plan0").iterdir())
    first = path.rename(path.with_name(expected[0] + "".join(path.suffixes)))  # an empty file is called by its name
    content = first.read_bytes()
    (tmp_path / "spectra" / "plan1").mkdir()
    (tmp_path / "spectra" / "plan1" / first.name).write_bytes(content)
    first.write_bytes(content[: int(share_left * len(content))])
    survey = packed(tmp_path, on_bad="skip")
    assert sorted(survey.catalog["id"]) == sorted(expected)
    assert len(survey.skipped) == 1 and "duplicate id" not in survey.skipped


def test_ids_with_path_separators_stay_text(tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, few_spectra(2))
    catalog = (
        "id,file,class\n../../etc/passwd,spec-55862-B0000_sp01-000,STAR\n/a\\b,../spec-55862-B0000_sp01-001.fits,QSO\n"
    )
    (tmp_path / "c.csv").write_text(catalog)
    folder = tmp_path / "spectra"
    options = {"catalog": str(tmp_path / "c.csv"), "file_key": "file"}
    survey = pack(lamost(folder, **options), config(LamostConfig, folder, **options), tmp_path / "pack", progress=False)
    assert survey.catalog["id"].tolist() == ["../../etc/passwd", "/a\\b"]


def test_a_file_that_vanishes_in_mid_read_is_a_bad_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LamostImageCase().write(tmp_path, few_spectra(3))
    reader = lamost(tmp_path / "spectra")
    reader.catalog()

    def gone(*_: object) -> bytes:
        raise OSError(116, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr("spectral.data.readers.survey_files.fits_file.FitsFile.read", gone)
        assert list(reader.read(np.arange(3)).problems.values())[1] == (
            "unreadable file: plan0/spec-55862-B0000_sp01-001.fits: Stale file handle"
        )
    next((tmp_path / "spectra").rglob("*-001.fits")).unlink()
    assert reader.read(np.arange(3)).problems == {1: "missing file: plan0/spec-55862-B0000_sp01-001.fits"}


@pytest.mark.skipif(os.geteuid() == 0, reason="a superuser may read all")
def test_a_file_without_permission_is_a_bad_row(tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, few_spectra(2))
    next((tmp_path / "spectra").rglob("*-001.fits")).chmod(0)
    assert packed(tmp_path, on_bad="skip").skipped == {"unreadable file": 1}


def test_files_of_another_survey_say_what_was_expected(tmp_path: Path) -> None:
    SpecLiteCase().write(tmp_path, few_spectra(2))
    with pytest.raises(UserError, match=r"None of 2 spectra tried could be read.* neither CLASS nor OBJNAME"):
        packed(tmp_path, on_bad="skip")
    LamostImageCase().write(tmp_path / "lamost", few_spectra(2))
    folder = tmp_path / "lamost" / "spectra"
    with pytest.raises(UserError, match=r"None of 2 spectra tried could be read.* no HDU 2 with a row of SPECOBJ"):
        pack(sdss(folder), config(SdssConfig, folder), tmp_path / "pack", progress=False)


def test_a_repaired_file_is_read_again(tmp_path: Path) -> None:
    LamostImageCase().write(tmp_path, few_spectra(3))
    path = next((tmp_path / "spectra").rglob("*-001.fits"))
    content = path.read_bytes()
    path.write_bytes(content[:1000])
    with pytest.raises(UserError, match="cut short"):
        packed(tmp_path)
    path.write_bytes(content)
    assert len(packed(tmp_path).catalog) == 3
    assert rows_of(lamost(tmp_path / "spectra"), "label")[0][1] == "galaxy"

"""`data=two_column`: a folder of text files of wavelength and flux."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spectral.configs.data import readers
from spectral.data.packing.pack import open_or_pack
from spectral.data.readers.survey_files.layout import Spectrum, UnreadableError
from spectral.data.readers.survey_files.reader import SurveyFilesReader
from spectral.data.readers.survey_files.two_column import TwoColumnLayout
from spectral.data.wavelengths import vacuum_angstrom
from spectral.errors import UserError

WAVE = np.array([4000.0, 4001.5, 4003.0, 4004.25])
FLUX = np.array([1.5, -2.25, 3e-17, 4.125])
GRID = {"kind": "linear", "start_angstrom": 4001.0, "stop_angstrom": 4003.0, "step": 1.0}


def opened(folder: Path, **options: object) -> SurveyFilesReader:
    config = readers.typed({"name": "two_column", "folder": str(folder), "num_workers": 1, **options})
    return readers.build(config, cache_dir=folder.parent / "cache")


def written(path: Path, text: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(f"{w} {f}" for w, f in zip(WAVE, FLUX, strict=True)) if text is None else text)
    return path


def columns_of(*columns: np.ndarray, separator: str = " ", head: str = "") -> str:
    return head + "\n".join(separator.join(str(value) for value in row) for row in zip(*columns, strict=True)) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        columns_of(WAVE, FLUX),
        columns_of(WAVE, FLUX, separator="\t", head="# made by hand, of two columns\n#\n"),
        columns_of(WAVE, FLUX, separator=",", head="wavelength,flux\n"),
        columns_of(WAVE, FLUX, separator=" , ", head="\ufeff  \nwave , flux # Angstrom, counts\n\n"),
        columns_of(WAVE, FLUX, separator=";", head="Wave;Flux\n").replace(".", ","),
        columns_of(WAVE, FLUX).replace("\n", "\r\n"),
        columns_of(WAVE, FLUX, WAVE * 7, separator="   "),
        columns_of(WAVE, FLUX, [" # good, bright"] * 4),
    ],
)
@pytest.mark.parametrize("ending", [".txt", ".csv"])
def test_numbers_are_read_however_they_are_written(tmp_path: Path, text: str, ending: str) -> None:
    written(tmp_path / "s" / f"a{ending}", text)
    chunk = opened(tmp_path / "s").read(np.array([0]))
    assert not chunk.problems and chunk.ivar is None
    np.testing.assert_array_equal(chunk.wave_angstrom[0], WAVE)
    np.testing.assert_array_equal(chunk.flux[0], FLUX.astype(np.float32)[None])


def test_subfolders_are_labels_and_files_without_one_have_none(tmp_path: Path) -> None:
    for name in ("b.dat", "Star/deep/er/x.asc", "QSO/x.txt", "QSO/y.TXT"):
        written(tmp_path / "s" / name)
    catalog = opened(tmp_path / "s").catalog()
    assert catalog["id"].tolist() == ["b", "QSO/x", "y", "Star/deep/er/x"]
    assert catalog["label"].fillna("-").tolist() == ["-", "QSO", "QSO", "Star"]
    mapped = opened(tmp_path / "s", class_map={"star": "star", "qso": None}).catalog()
    assert mapped["label"].fillna("-").tolist() == ["-", "-", "-", "star"]
    pattern = opened(tmp_path / "s" / "*" / "*.txt").catalog()
    assert pattern["id"].tolist() == ["x"] and pattern["label"].tolist() == ["QSO"]


@pytest.mark.parametrize("file_key", [None, "file"])
def test_a_catalog_in_the_same_folder_gives_the_labels(tmp_path: Path, file_key: str | None) -> None:
    for name in ("007", "8", "9"):
        written(tmp_path / "s" / f"{name}.csv")
    named = "file,class\n007.csv,star\n9.csv,qso\n" if file_key else "id,class\n007,star\n9,qso\n"
    labels = written(tmp_path / "s" / "labels.csv", named)
    catalog = opened(tmp_path / "s", catalog=str(labels), file_key=file_key).catalog()
    assert catalog["id"].tolist() == ["007", "9"] and catalog["label"].tolist() == ["star", "qso"]


def test_a_catalog_without_ids_is_refused_not_joined_by_the_numbers_of_its_rows(tmp_path: Path) -> None:
    for name in ("0", "1"):
        written(tmp_path / "s" / f"{name}.txt")
    labels = written(tmp_path / "labels.csv", "filename,class\n1.txt,star\n0.txt,qso\n")
    sentence = "data.id_key names one, or data.file_key one of file names; it has filename, class."
    with pytest.raises(UserError, match=f"labels.csv has no column of ids, .*: {re.escape(sentence)}$"):
        opened(tmp_path / "s", catalog=str(labels)).catalog()
    catalog = opened(tmp_path / "s", catalog=str(labels), file_key="filename").catalog()
    assert dict(zip(catalog["id"], catalog["label"], strict=True)) == {"1": "star", "0": "qso"}


@pytest.mark.parametrize(
    ("names", "stored"),
    [
        (["0012", "0007"], ["0012", "0007"]),
        (["1.10", "1.1"], ["1.10", "1.1"]),
        (["12", "7"], [12, 7]),
        ([" 12", "7 "], [12, 7]),
    ],
)
def test_files_that_a_catalog_names_by_numbers_are_found_as_they_are_written(
    tmp_path: Path, names: list[str], stored: list[object]
) -> None:
    for name in names:
        written(tmp_path / "s" / f"{name.strip()}.txt")
    rows = "".join(f"{name},{label}\n" for name, label in zip(names, ("star", "qso"), strict=True))
    labels = written(tmp_path / "labels.csv", f"number,class\n{rows}")
    catalog = opened(tmp_path / "s", catalog=str(labels), file_key="number").catalog()
    assert catalog["file"].tolist() == [f"{name.strip()}.txt" for name in names]
    assert catalog["label"].tolist() == ["star", "qso"] and catalog["number"].tolist() == stored


@pytest.mark.parametrize("missing", ["NAN", "-nan", ""])
def test_a_catalog_may_lack_the_number_of_a_file(tmp_path: Path, missing: str) -> None:
    written(tmp_path / "s" / "0012.txt")
    labels = written(tmp_path / "labels.csv", f"id,number,class\na,0012,star\nb,{missing},qso\n")
    reader = opened(tmp_path / "s", catalog=str(labels), file_key="number")
    assert reader.catalog()["file"].iloc[0] == "0012.txt"
    assert [*reader.read(np.arange(2)).problems] == [1]


def test_ids_that_name_the_files_stay_as_they_are_written(tmp_path: Path) -> None:
    for name in ("1.0", "2.0"):
        written(tmp_path / "s" / f"{name}.txt")
    labels = written(tmp_path / "labels.csv", "id,class\n1.0,star\n2.0,qso\n")
    catalog = opened(tmp_path / "s", catalog=str(labels), file_key="id").catalog()
    assert catalog["id"].tolist() == ["1.0", "2.0"] and catalog["file"].tolist() == ["1.0.txt", "2.0.txt"]


@pytest.mark.parametrize(
    ("columns", "third"), [(["wave", "flux", "error"], [0.5, 0, -1, 0.25]), (["wave", "flux", "ivar"], [4, 0, 0, 16])]
)
def test_a_column_of_errors_or_of_ivar(tmp_path: Path, columns: list[str], third: list[float]) -> None:
    written(tmp_path / "s" / "a.txt", columns_of(WAVE, FLUX, np.array(third, float)))
    np.testing.assert_array_equal(opened(tmp_path / "s", columns=columns).read(np.array([0])).ivar[0], [[4, 0, 0, 16]])


def test_columns_may_be_in_another_order_and_left_out(tmp_path: Path) -> None:
    written(tmp_path / "s" / "a.txt", columns_of(np.arange(4), FLUX, WAVE, FLUX))
    chunk = opened(tmp_path / "s", columns=["pixel", "flux", "wave"]).read(np.array([0]))
    np.testing.assert_array_equal(chunk.wave_angstrom[0], WAVE)


def test_wavelengths_in_air_and_other_units_are_converted_and_recorded(tmp_path: Path) -> None:
    written(tmp_path / "s" / "star" / "a.txt", columns_of(WAVE / 10, FLUX))
    options = {"wave_unit": "nm", "wave_medium": "air"}
    reader = opened(tmp_path / "s", **options)
    np.testing.assert_allclose(reader.read(np.array([0])).wave_angstrom[0], vacuum_angstrom(WAVE), rtol=1e-14)
    config = readers.typed({"name": "two_column", "folder": str(tmp_path / "s"), "grid": GRID, **options})
    config.num_workers = 1
    survey = open_or_pack(readers.build(config, cache_dir=tmp_path / "c"), config, tmp_path / "c", progress=False)
    about = json.loads((survey.folder / "survey.json").read_text())
    assert (about["wave_unit"], about["wave_medium"]) == ("nm", "vacuum")
    assert about["plan"]["settings"]["layout"]["wave_medium"] == "air"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no numbers"),
        (b"# nothing\n", "no numbers"),
        (b"wave flux\n", "no numbers"),
        (b"4000\n4001\n", "not columns of numbers: "),
        (b"4000 1\n4001\n4002 3\n", "not columns of numbers: "),
        (b"4000 1\n4001 oops\n", "not columns of numbers: "),
        (b"one two three\nfour five six\n", "not columns of numbers: "),
        (b"4000 1\n\xff\xfe\n", "text is not UTF-8"),
        (b"SIMPLE  =                    T" + b"\0" * 3000, "no numbers"),
    ],
)
def test_a_file_of_something_else_is_a_bad_row(tmp_path: Path, raw: bytes, reason: str) -> None:
    written(tmp_path / "s" / "a.txt")
    (tmp_path / "s" / "b.txt").write_bytes(raw)
    chunk = opened(tmp_path / "s").read(np.array([0, 1]))
    assert list(chunk.problems) == [1] and chunk.problems[1].startswith(reason)
    assert "b.txt" in chunk.problems[1] and "\n" not in chunk.problems[1]


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spectral.data.readers.survey_files.two_column.MOST_BYTES", 20)
    written(tmp_path / "s" / "a.txt")
    assert opened(tmp_path / "s").read(np.array([0])).problems[0].startswith("too large: ")


@pytest.mark.parametrize(
    "columns", [["flux"], ["wave", "flux", "flux"], ["wave", "flux", "error", "ivar"], ["wave", "FLUX"]]
)
def test_columns_that_make_no_spectrum_are_refused(tmp_path: Path, columns: list[str]) -> None:
    with pytest.raises(UserError, match=r"columns=.* must name wave and flux once each"):
        opened(tmp_path, columns=columns)


NUMBERS = st.one_of(st.floats().map(repr), st.sampled_from(["1e400", "-", "4000", "", "nan", "#", "0x1", "1_0", "\0"]))
TEXT = st.lists(st.lists(NUMBERS, max_size=3).map(", ".join), max_size=8).map("\n".join).map(str.encode)


@given(raw=st.one_of(st.binary(max_size=300), TEXT))
@example(raw=b"0,0,1e200")
@example(raw=b"4000 1 1e-200\n4001 1 1e-200")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_spectrum_or_a_reason(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    try:
        for unit in ("angstrom", "cm-1"):
            layout = TwoColumnLayout(str(tmp_path), ["wave", "flux", "error"], unit, "air")
            [spectrum] = layout.read(path, [0])
            assert isinstance(spectrum, Spectrum) and spectrum.flux.shape == spectrum.wave_angstrom.shape
    except UnreadableError as error:
        assert str(error) and "\n" not in str(error)

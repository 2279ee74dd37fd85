"""`data=multimodal_universe`: HDF5 by healpix, and Parquet."""

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmu_files import FIRST_ID, LENGTH, spectra, write_hdf5, write_parquet

from spectral.configs.data import readers
from spectral.data.packing.pack import open_or_pack
from spectral.data.readers.contract import Chunk
from spectral.data.readers.parquet_stream import ROWS_PER_BATCH
from spectral.data.readers.survey_files import distinct_ids, scan
from spectral.data.readers.survey_files.layout import Spectrum, UnreadableError
from spectral.data.readers.survey_files.multimodal_universe import MultimodalUniverseLayout
from spectral.data.readers.survey_files.reader import SurveyFilesReader
from spectral.errors import UserError

GRID = {"kind": "log", "start_angstrom": 10**3.57999, "stop_angstrom": 10**3.58391, "step": 1e-4}


def opened(folder: Path, **options: object) -> SurveyFilesReader:
    config = readers.typed({"name": "multimodal_universe", "folder": str(folder), "num_workers": 1, **options})
    return readers.build(config, cache_dir=folder.parent / "cache")


def same(chunk: Chunk, position: int, parts: dict[str, np.ndarray], row: int, length: int = LENGTH) -> None:
    np.testing.assert_array_equal(chunk.flux[position][0], parts["flux"][row, :length])
    np.testing.assert_array_equal(chunk.ivar[position][0], parts["ivar"][row, :length])
    np.testing.assert_array_equal(chunk.wave_angstrom[position], parts["lambda"][row, :length])
    np.testing.assert_array_equal(chunk.mask[position], parts["mask"][row, :length])


def two_files(folder: Path) -> list[dict[str, np.ndarray]]:
    """SDSS's columns: ids as bytes, classes padded with blanks."""
    parts = [spectra(4), spectra(3, seed=1)]
    classes = np.array([b"STAR  ", b"GALAXY", b"QSO   ", b"STAR  "])
    for number, some in enumerate(parts):
        num = len(some["flux"])
        ids = np.array([f" {FIRST_ID + 10 * number + i}".encode() for i in range(num)])
        columns = {"object_id": ids, "CLASS": classes[:num], "Z": np.arange(num) / 8, "ra": 10.0 + np.arange(num)}
        columns |= {"dec": np.full(num, 5.0), "SUBCLASS": np.array([b"F9"] * num), "SPECTROFLUX": np.ones((num, 5))}
        write_hdf5(folder / "sdss" / f"healpix={1100 + number}" / "001-of-001.hdf5", some, **columns)
    return parts


def test_hdf5_by_healpix_is_read_as_written(tmp_path: Path) -> None:
    parts = two_files(tmp_path / "mmu")
    reader = opened(tmp_path / "mmu")
    catalog = reader.catalog()
    assert catalog["id"].tolist() == [str(FIRST_ID + i) for i in (0, 1, 2, 3, 10, 11, 12)]
    assert catalog["label"].tolist() == ["star", "galaxy", "qso", "star", "star", "galaxy", "qso"]
    assert catalog["redshift"].tolist() == [0, 0.125, 0.25, 0.375, 0, 0.125, 0.25]
    chunk = reader.read(np.array([5, 0, 2, 1]))
    for position, (file, row) in enumerate([(1, 1), (0, 0), (0, 2), (0, 1)]):
        same(chunk, position, parts[file], row)


def test_an_object_of_two_files_is_one_group_by_its_position(tmp_path: Path) -> None:
    two_files(tmp_path / "mmu")
    groups = opened(tmp_path / "mmu").catalog()["group"]
    assert groups[0] == groups[4] and groups[1] == groups[5] and groups[0] != groups[1]


def test_padding_is_no_part_of_a_spectrum(tmp_path: Path) -> None:
    parts = two_files(tmp_path / "mmu")
    same(opened(tmp_path / "mmu").read(np.array([3])), 0, parts[0], 3, LENGTH - 5)


def test_desis_ids_and_another_label_column(tmp_path: Path) -> None:
    ids = np.array([FIRST_ID, FIRST_ID + 2])
    columns = {"SPECTYPE": np.array([b"GALAXY", b"QSO"]), "SUBTYPE": np.array([b"a", b"b"])}
    write_hdf5(tmp_path / "mmu" / "healpix=1" / "001-of-001.hdf5", spectra(2), object_id=ids, **columns)
    assert opened(tmp_path / "mmu").catalog()["label"].tolist() == ["galaxy", "qso"]
    catalog = opened(tmp_path / "mmu", label_key="SUBTYPE").catalog()
    assert catalog["label"].tolist() == ["a", "b"] and catalog["id"].tolist() == [str(i) for i in ids]


@pytest.mark.parametrize("structs", [False, True])
def test_parquet_is_read_as_written(tmp_path: Path, structs: bool) -> None:
    parts = spectra(8)
    ids = [f"b'{FIRST_ID + i}'" for i in range(8)]
    write_parquet(tmp_path / "mmu" / "train-0.parquet", parts, 3, structs, object_id=ids, Z=pa.array(np.arange(8.0)))
    reader = opened(tmp_path / "mmu")
    assert reader.catalog()["id"].tolist() == [str(FIRST_ID + i) for i in range(8)]
    chunk = reader.read(np.array([6, 0, 5, 4]))
    for position, row in enumerate([6, 0, 5, 4]):
        same(chunk, position, parts, row)


@pytest.mark.parametrize("files_per_task", [1, 256])
def test_whole_numbers_stay_exact_next_to_a_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files_per_task: int
) -> None:
    monkeypatch.setattr(scan, "FILES_PER_TASK", files_per_task)
    objects = FIRST_ID + np.arange(3)  # odd ones are no float64
    columns = {"TARGETID": objects, "ZWARNING": np.zeros(3, int)}
    write_parquet(tmp_path / "mmu" / "train-0.parquet", spectra(3), object_id=list("abc"), **columns)
    (tmp_path / "mmu" / "damaged.parquet").write_text("no spectra")
    listed = opened(tmp_path / "mmu", group_key="TARGETID").catalog().set_index("id").loc[["a", "b", "c"]]
    assert listed["group"].tolist() == [str(number) for number in objects]
    table = pd.DataFrame({"object_id": list("abc"), "night": objects, "fiber": range(3)})
    table.to_csv(tmp_path / "z.csv", index=False)
    named = opened(tmp_path / "mmu", catalog=str(tmp_path / "z.csv")).catalog().set_index("id").loc[["a", "b", "c"]]
    assert named["night"].tolist() == objects.tolist()
    assert listed["zwarn"].dtype == named["fiber"].dtype == "float64"  # as before: floats hold these


@pytest.mark.parametrize("rows_at_once", [2, 256])
def test_of_two_files_with_the_same_spectra_the_first_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, rows_at_once: int
) -> None:
    monkeypatch.setattr(distinct_ids, "ROWS_AT_ONCE", rows_at_once)
    for name in ("a.parquet", "b.parquet"):
        write_parquet(tmp_path / "mmu" / name, spectra(5), object_id=list("vwxyz"))
    reader = opened(tmp_path / "mmu")
    with caplog.at_level("INFO"):
        assert reader.catalog()["id"].tolist()[:5] == list("vwxyz")
    assert "Reading up to 10 spectra whose id is there twice, to see which are whole." in caplog.text
    problems = reader.read(np.arange(10)).problems
    assert sorted(problems) == [5, 6, 7, 8, 9] and all("duplicate id" in reason for reason in problems.values())


@pytest.mark.slow
def test_only_a_part_of_a_parquet_file_is_in_memory(tmp_path: Path) -> None:
    num, length = 4 * ROWS_PER_BATCH, 500
    parts = {"flux": np.ones((num, length), np.float32), "ivar": np.ones((num, length), np.float32)}
    parts["lambda"] = np.tile(np.linspace(4000, 5000, length, dtype=np.float32), (num, 1))
    ids = [str(i) for i in range(num)]
    write_parquet(tmp_path / "mmu" / "train-0.parquet", parts, num, object_id=ids)
    reader = opened(tmp_path / "mmu")
    reader.catalog()
    reader.read(np.arange(2))
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    for start in range(0, num, 64):
        reader.read(np.arange(start, start + 64))
        assert pa.total_allocated_bytes() - before < num * length * 12 / 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < num * length * 12


@pytest.mark.parametrize("kind", ["log", "linear"])
def test_early_versions_give_the_first_and_the_last_wavelength(tmp_path: Path, kind: str) -> None:
    wave = 10 ** (3.58 + 1e-4 * np.arange(LENGTH)) if kind == "log" else 3600 + 0.8 * np.arange(LENGTH)
    parts = {name: values for name, values in spectra(2).items() if name not in ("lambda", "mask")}
    parts |= {"lambda_min": np.full(2, wave[0], np.float32), "lambda_max": np.full(2, wave[-1], np.float32)}
    write_hdf5(tmp_path / "mmu" / "healpix=1" / "a.hdf5", parts, object_id=np.arange(2))
    chunk = opened(tmp_path / "mmu").read(np.array([1]))
    np.testing.assert_allclose(chunk.wave_angstrom[0], wave, rtol=1e-7)
    assert not chunk.mask[0].any()


def test_it_is_packed_on_the_grid_bit_by_bit(tmp_path: Path) -> None:
    parts = two_files(tmp_path / "mmu")
    config = readers.typed({"name": "multimodal_universe", "folder": str(tmp_path / "mmu"), "grid": GRID})
    config.num_workers = 1
    survey = open_or_pack(readers.build(config, cache_dir=tmp_path / "c"), config, tmp_path / "c", progress=False)
    assert len(survey.wave_angstrom) == LENGTH
    np.testing.assert_array_equal(survey.mask[:3], parts[0]["mask"][:3])
    good = ~survey.mask[:3]
    np.testing.assert_array_equal(survey.flux[:3, 0][good], parts[0]["flux"][:3][good])


def without(part: str):
    def change(file: h5py.File) -> None:
        del file[part]

    return change


def replaced(part: str, values: object):
    def change(file: h5py.File) -> None:
        del file[part]
        file[part] = values

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without("spectrum_ivar"), "wrong layout: no dataset spectrum_ivar, there are CLASS"),
        (without("spectrum_lambda"), "no wavelengths: neither lambda nor lambda_min"),
        (replaced("spectrum_ivar", np.ones((3, LENGTH))), "wrong layout: spectrum_ivar is of [3, 40], spectrum_flux"),
        (replaced("spectrum_ivar", np.ones((4, LENGTH - 1))), "ivar of wrong shape: [39], the flux has [40]"),
        (replaced("spectrum_flux", np.full((4, LENGTH), b"x")), "flux holds |S1, not numbers"),
        (replaced("spectrum_flux", np.ones((2, LENGTH))), "wrong layout: spectrum_ivar is of [4, 40]"),
    ],
)
def test_a_file_of_another_layout_is_reported(tmp_path: Path, change: object, reason: str) -> None:
    two_files(tmp_path / "mmu")
    reader = opened(tmp_path / "mmu")
    reader.catalog()
    with h5py.File(tmp_path / "mmu" / "sdss" / "healpix=1100" / "001-of-001.hdf5", "a") as file:
        change(file)
    chunk = reader.read(np.array([0, 3, 4]))
    assert [flux is None for flux in chunk.flux] == [True, True, False]
    assert chunk.problems[0].startswith(reason) and "healpix=1100/001-of-001.hdf5" in chunk.problems[1]


@pytest.mark.parametrize("ending", [".hdf5", ".parquet"])
@pytest.mark.parametrize("damage", ["text", "empty", "cut short", "missing"])
def test_a_damaged_file_is_reported_and_others_are_read(tmp_path: Path, ending: str, damage: str) -> None:
    two_files(tmp_path / "mmu")
    path = tmp_path / "mmu" / "z" / f"z{ending}"
    if ending == ".hdf5":
        write_hdf5(path, spectra(3), object_id=np.arange(3))
    else:
        write_parquet(path, spectra(3), object_id=["0", "1", "2"])
    reader = opened(tmp_path / "mmu")
    assert len(reader.catalog()) == 10
    match damage:
        case "text":
            path.write_text("no spectra here\n" * 500)
        case "empty":
            path.write_bytes(b"")
        case "cut short":
            path.write_bytes(path.read_bytes()[:900])
        case "missing":
            path.unlink()
    chunk = reader.read(np.array([0, 8]))
    assert list(chunk.problems) == [1] and f"z{ending}" in chunk.problems[1]
    if damage != "missing":
        again = opened(tmp_path / "mmu", match_arcsec=1)  # listed again: one bad row
        assert again.catalog()["id"].tolist()[7:] == ["z"]


def test_other_hdf5_is_one_bad_row_that_says_what_is_there(tmp_path: Path) -> None:
    two_files(tmp_path / "mmu")
    with h5py.File(tmp_path / "mmu" / "sdss" / "other.hdf5", "w") as file:
        file["images"] = np.ones(3)
    reader = opened(tmp_path / "mmu")
    assert reader.catalog()["id"][0] == "other"
    problem = reader.read(np.array([0])).problems[0]
    assert problem == "wrong layout: no dataset spectrum_flux, there are images (sdss/other.hdf5)"


def test_a_folder_without_such_files_says_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "mmu").mkdir()
    with pytest.raises(UserError, match=r"holds no file whose name ends in .hdf5 or .h5 or .parquet"):
        opened(tmp_path / "mmu")


@given(changes=st.lists(st.tuples(st.integers(0, 10**5), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_parquet_file_with_other_bytes_is_spectra_or_reasons(tmp_path: Path, changes: list) -> None:
    """HDF5 is left out: its library can loop for ever in a damaged heap of texts."""
    path, layout = tmp_path / "a.parquet", MultimodalUniverseLayout()
    write_parquet(path, spectra(4), object_id=list("abcd"))
    raw = bytearray(path.read_bytes())
    for where, new in changes:
        at = where % len(raw)
        raw[at : at + len(new)] = new
    path.write_bytes(raw)
    for read in (lambda: layout.entries(path), lambda: layout.read(path, [0, 3])):
        try:
            assert all(isinstance(result, dict | Spectrum | UnreadableError) for result in read())
        except UnreadableError as error:
            assert str(error) and "\n" not in str(error)


def test_a_dataset_that_is_too_large_for_its_file_is_not_read(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "mmu" / "a.hdf5", spectra(4), object_id=np.arange(4))
    with h5py.File(tmp_path / "mmu" / "a.hdf5", "a") as file:
        del file["spectrum_flux"]
        file.create_dataset("spectrum_flux", (4, 2**36), np.float32)
    problem = opened(tmp_path / "mmu").read(np.array([0])).problems[0]
    assert problem.startswith("damaged HDF5: /spectrum_flux of [4, 68719476736] is too large for its file")

"""Files that the system does not give out for a while: the list of a survey is not kept without them for ever."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from desi_files import FIRST_ID, write_desi, write_redrock
from pyarrow import parquet
from toy_reader import ToyReader, files_of

from spectral.configs.data import readers
from spectral.configs.survey_files import DesiConfig
from spectral.data.packing.gridded import on_grid
from spectral.data.packing.limit import LimitedReader
from spectral.data.packing.pack import pack
from spectral.data.packing.steps import Packing
from spectral.data.readers.survey_files import listing
from spectral.data.readers.survey_files.desi import DesiLayout
from spectral.data.readers.survey_files.layout import Entry, UnreadableError
from spectral.data.readers.survey_files.multimodal_universe import MultimodalUniverseLayout
from spectral.data.readers.survey_files.reader import SurveyFilesReader

FILES = ("coadd-main-dark-1.fits", "coadd-main-dark-2.fits")
IDS = [[FIRST_ID + 10 * file + i for i in range(5)] for file in range(2)]
GRID = {"kind": "linear", "start_angstrom": 3600.0, "stop_angstrom": 3647.2, "step": 0.8}


def options(folder: Path, **more: object) -> DesiConfig:
    given = {"num_workers": 1, "rows_per_part": 1, "on_bad": "skip", "grid": GRID, **more}
    return readers.typed({"name": "desi", "folder": str(folder / "d"), **given})


def opened(folder: Path) -> SurveyFilesReader:
    return readers.build(options(folder), cache_dir=folder / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, ids in zip(FILES, IDS, strict=True):
        write_desi(tmp_path / "d" / name, ids)
        write_redrock(tmp_path / "d" / name.replace("coadd", "redrock"), ids, ["STAR", "QSO", "STAR", "QSO", "STAR"])
    return tmp_path


@contextmanager
def withheld(*names: str) -> Iterator[list[str]]:
    """The system does not give out some files; all whose headers are read are noted."""
    entries, asked = DesiLayout.entries, list[str]()

    def failing(self: DesiLayout, path: Path) -> list[Entry]:
        asked.append(path.name)
        if path.name in names:
            raise OSError(errno.EIO, "Input/output error")
        return entries(self, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DesiLayout, "entries", failing)
        yield asked


def ids_of(reader: SurveyFilesReader) -> list[str]:
    return reader.catalog()["id"].tolist()


ALL = [str(i) for ids in IDS for i in ids]


def test_a_file_that_comes_back_is_listed(folder: Path) -> None:
    with withheld(FILES[0]):
        assert ids_of(opened(folder))[1:] == ALL[5:]
    assert ids_of(opened(folder)) == ALL
    with withheld(FILES[0]) as asked:  # the whole list is kept
        assert ids_of(opened(folder)) == ALL
    assert asked == []


def test_as_long_as_it_does_not_no_other_header_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with withheld(FILES[0]):
        opened(folder).catalog()
        with monkeypatch.context() as patch:
            patch.setattr(listing, "scan_headers", lambda *_: pytest.fail("all headers were read"))
            with withheld(FILES[0]) as asked:
                assert len(ids_of(opened(folder))) == 6
            assert asked == [FILES[0]]
    with withheld(FILES[1]):
        assert ids_of(opened(folder))[:5] == ALL[:5]


def test_who_has_read_a_list_keeps_its_rows(folder: Path) -> None:
    with withheld(FILES[0]):
        before = opened(folder)
        before.catalog()
    assert ids_of(opened(folder)) == ALL and len(ids_of(before)) == 6
    chunk, whole = before.read(np.arange(6)), opened(folder).read(np.arange(5, 10))
    assert chunk.problems == {0: f"unreadable file: {FILES[0]}: Input/output error"}
    for one, other in zip(chunk.flux[1:], whole.flux, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_pack_that_was_stopped_without_a_file_has_the_right_spectra_with_it(folder: Path) -> None:
    with withheld(FILES[0]):
        stopped = Packing(opened(folder), options(folder), folder / "pack")
        stopped.read_catalog()
        stopped.begin()
        stopped.make_parts(2, 0)
        assert stopped.num_done() == 3
    pack(opened(folder), options(folder), folder / "pack", progress=False)
    pack(opened(folder), options(folder), folder / "whole", progress=False)
    assert files_of(folder / "pack") == files_of(folder / "whole")


def test_a_finished_pack_without_a_file_stays(folder: Path) -> None:
    with withheld(FILES[0]):
        first = pack(opened(folder), options(folder), folder / "pack", progress=False)
    again = pack(opened(folder), options(folder), folder / "pack", progress=False)
    assert len(first) == len(again) == 5 and first.fingerprint == again.fingerprint


def test_readers_around_a_reader_know_of_files_that_it_lacks(folder: Path) -> None:
    made = opened(folder)
    wrapped = LimitedReader(on_grid(made, options(folder).grid), np.arange(1))
    with withheld(FILES[0]):
        made.catalog()
    assert wrapped.unread_files == made.unread_files != ""
    assert LimitedReader(ToyReader(), np.arange(1)).unread_files == opened(folder).unread_files == ""


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ESTALE])
@pytest.mark.parametrize("name", ["a.hdf5", "a.parquet"])
def test_errors_of_the_system_are_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "of the system")

    (tmp_path / name).write_text("x")
    with pytest.raises(UnreadableError):
        MultimodalUniverseLayout().entries(tmp_path / name)
    monkeypatch.setattr(h5py, "File", fail)
    monkeypatch.setattr(parquet, "read_schema", fail)
    with pytest.raises(OSError, match="of the system"):
        MultimodalUniverseLayout().entries(tmp_path / name)

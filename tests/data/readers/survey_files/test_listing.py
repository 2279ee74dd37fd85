"""The list of a survey's spectra from a catalog of many rows, or from headers read by several processes."""

import multiprocessing
import os
import signal
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from waiting import PATIENCE_S, await_that

from spectral.data.readers.survey_files import scan
from spectral.data.readers.survey_files.file_tree import FileTree
from spectral.data.readers.survey_files.lamost import LamostLayout
from spectral.data.readers.survey_files.layout import Entry
from spectral.data.readers.survey_files.listing import Source, list_spectra
from spectral.data.readers.survey_files.places import ABSENT, SEVERAL, FileFinder
from spectral.errors import UserError
from spectral.processes import is_running

NUM = 20_000
PYTHON_STRING = 90  # bytes, of a file's name with its folder


@pytest.mark.slow
def test_a_catalog_is_listed_by_columns_and_not_by_objects_for_each_row(tmp_path: Path) -> None:
    layout, number = LamostLayout(["any"], "and"), np.arange(NUM)
    night, fiber = 55000 + number // 250, number % 250 + 1
    table = {"obsid": number + 10**8, "lmjd": night, "planid": "GAC099N04V1", "spid": 7, "fiberid": fiber}
    pd.DataFrame(table | {"class": "STAR", "z": 0.1}).to_csv(tmp_path / "c.csv", index=False)
    names = [f"{n}/{layout.file_name(n, 'GAC099N04V1', 7, f)}" for n, f in zip(night, fiber, strict=True)]
    tree, source = FileTree(tmp_path, names[: NUM - 2], ""), Source(str(tmp_path), str(tmp_path / "c.csv"))
    list_spectra(layout, source, tree, 1)  # so that what is loaded and made once does not count
    tracemalloc.start()
    frame = list_spectra(layout, source, tree, 1)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frame["file"].tolist()[: NUM - 2] == names[: NUM - 2] and frame["problem"].notna().sum() == 2
    assert most / NUM < 3.5 * PYTHON_STRING


def test_a_file_is_found_by_the_end_of_its_path_and_never_in_another_folder(tmp_path: Path) -> None:
    finder = FileFinder(
        FileTree(tmp_path, ["a/s1.fits", "a/s2.fits.gz", "x/b/s2.fits", "top.fits"], ""), LamostLayout.endings
    )
    expected = {
        "a/s1.fits": 0,
        f"{tmp_path}/a/s1.fits": 0,
        "/moved/from/a/s1.fits": 0,
        "./a/s1": 0,
        "s1": 0,
        "S1.fits": ABSENT,
        "b/s1.fits": ABSENT,
        "s2": SEVERAL,
        "x/b/s2.fits": 2,
        "/flat/now/top.fits": 3,
        "../a/s1.FITS": 0,
        "": ABSENT,
    }
    assert finder.find(pa.chunked_array([[*expected]], pa.large_string())).tolist() == [*expected.values()]


def test_a_scan_whose_processes_end_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(ThreadPoolExecutor):
        def map(self, *_: Any, **__: Any) -> Iterator[Any]:
            raise BrokenProcessPool

    monkeypatch.setattr(scan, "ProcessPoolExecutor", lambda num, *_: Ended(num))
    tree = FileTree(tmp_path, [f"{number}.fits" for number in range(scan.FEW)], "")
    with pytest.raises(UserError, match=r"killed or could not start: in a script, .*; or give num_workers=1\."):
        scan.scan_headers(LamostLayout(["any"], "and"), tree, 2)


class Stuck(LamostLayout):
    """Notes which process reads a header, and waits as for a disk that does not answer."""

    def entries(self, path: Path) -> list[Entry]:
        (path.parent / f"{os.getpid()}.pid").touch()
        time.sleep(2 * PATIENCE_S)
        return []


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_processes_that_read_headers_end_with_a_killed_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fork = multiprocessing.get_context("fork")  # spawned processes would import everything first
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: fork)
    monkeypatch.setattr(scan, "FEW", 2)
    monkeypatch.setattr(scan, "FILES_PER_TASK", 1)
    tree = FileTree(tmp_path, ["1.fits", "2.fits"], "")
    parent = fork.Process(target=scan.scan_headers, args=(Stuck(["any"], "and"), tree, 2))
    parent.start()
    readers: list[int] = []
    try:
        await_that(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        readers += [int(path.stem) for path in tmp_path.glob("*.pid")]
        parent.kill()
        parent.join()
        await_that(lambda: not any(map(is_running, readers)))
    finally:
        for pid in filter(is_running, [*readers, parent.pid or 0]):
            os.kill(pid, signal.SIGKILL)

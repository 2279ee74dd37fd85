"""The reader of a survey's files, whatever their layout."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from reader_cases.case import made_spectra
from reader_cases.lamost import LamostImageCase
from reader_cases.two_column import TwoColumnCase
from survey_tests import few_spectra, lamost

from spectral.data.packing import staging
from spectral.data.readers.contract import place_of
from spectral.data.readers.survey_files import file_tree, listing
from spectral.data.readers.survey_files import reader as reader_module
from spectral.data.readers.survey_files.listing import list_spectra

DEADLINE_S = 60


def test_rows_are_found_without_the_whole_list_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "ROWS_PER_GROUP", 3)
    case, spectra = TwoColumnCase(), made_spectra(8, ragged=True)
    case.write(tmp_path, spectra)
    reader = case.open(tmp_path)
    reader.catalog()
    reader_module._group.cache_clear()
    rows = [7, 0, 6, 7]
    found = reader.read(np.array(rows))
    for row, flux in zip(rows, found.flux, strict=True):
        np.testing.assert_array_equal(flux, spectra[row].flux[None])
    assert reader_module._group.cache_info().currsize == 2  # rows 3 to 5 were not looked at
    assert place_of(reader, 4) == "004.dat, row 0"


@pytest.mark.parametrize(
    "options",
    [
        {"bad_flags": ["NODATA"], "mask": "or"},
        {"class_map": {"qso": None, "star": "s"}, "class_names": ["s", "galaxy"], "zwarn_labels": True},
        {"num_workers": 1, "on_bad": "skip"},
    ],
)
def test_options_that_do_not_shape_the_list_read_no_header_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    LamostImageCase().write(tmp_path, few_spectra(4))
    listed = lamost(tmp_path / "spectra").catalog()
    monkeypatch.setattr(listing, "scan_headers", lambda *_: pytest.fail("a header was read"))
    catalog = lamost(tmp_path / "spectra", **options).catalog()
    assert catalog["id"].tolist() == listed["id"].tolist()
    assert ("s" in catalog["label"].tolist()) == ("class_map" in options)


@pytest.mark.parametrize("options", [{"match_arcsec": None}, {"label_key": "subclass"}])
def test_options_that_shape_the_list_make_another(tmp_path: Path, options: dict[str, Any]) -> None:
    LamostImageCase().write(tmp_path, few_spectra(4))
    made = [lamost(tmp_path / "spectra"), lamost(tmp_path / "spectra", **options)]
    assert [len(reader.catalog()) for reader in made] == [4, 4] and made[0].manifest != made[1].manifest


def test_one_process_reads_the_headers_and_others_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    LamostImageCase().write(tmp_path, few_spectra(4))
    calls, other_waits = [], threading.Event()

    def listed(*arguments: Any) -> pd.DataFrame:
        calls.append(arguments)
        assert other_waits.wait(DEADLINE_S), "the other one did not wait"
        return list_spectra(*arguments)

    def note(record: logging.LogRecord) -> bool:
        if "lists the spectra in" in record.getMessage():
            other_waits.set()
        return True

    monkeypatch.setattr(reader_module, "list_spectra", listed)
    staging.log.addFilter(note)
    try:
        with caplog.at_level(logging.INFO, staging.log.name), ThreadPoolExecutor(2) as pool:
            found = [pool.submit(lamost(tmp_path / "spectra").catalog) for _ in range(2)]
            assert [len(each.result()) for each in found] == [4, 4]
    finally:
        staging.log.removeFilter(note)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("most", "changes"), [(10_000, ["one of them", "", "", ""]), (0, ["a change", "a change", "a change", ""])]
)
def test_what_would_change_a_survey_if_it_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, changes: list[str]
) -> None:
    """Of many files the times of their folders count, so that any file or folder that comes there changes them."""
    monkeypatch.setattr(file_tree, "MOST_STAMPED", most)
    case = TwoColumnCase()
    case.write(tmp_path, made_spectra(3, ragged=True))
    reader = case.open(tmp_path)
    names = ("spectra/cat.csv", "spectra/cat.parquet", "spectra/new/cat.parquet", "cat.csv")
    for name, change in zip(names, changes, strict=True):
        assert reader.change_by(tmp_path / name).startswith(f"would count as {change}" if change else "")
        assert bool(reader.change_by(tmp_path / name)) == bool(change)

"""The reader of a survey's files, whatever their layout."""

from pathlib import Path

import numpy as np
import pytest
from reader_cases.case import made_spectra
from reader_cases.two_column import TwoColumnCase

from spectral.data.readers.contract import place_of
from spectral.data.readers.survey_files import reader as reader_module


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

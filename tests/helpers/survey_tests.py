"""What tests of survey files share."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from reader_cases.case import MadeSpectrum, made_spectra

from spectral.configs.data import readers
from spectral.configs.survey_files import LamostConfig, SdssConfig
from spectral.data.readers.survey_files.reader import SurveyFilesReader


def few_spectra(num: int = 4) -> list[MadeSpectrum]:
    return made_spectra(num, ragged=True)


def lamost(folder: Path, **options: Any) -> SurveyFilesReader:
    return readers.build(LamostConfig(folder=str(folder), **options), cache_dir=folder / "cache")


def sdss(folder: Path, **options: Any) -> SurveyFilesReader:
    return readers.build(SdssConfig(folder=str(folder), **options), cache_dir=folder / "cache")


def rows_of(reader: SurveyFilesReader, *columns: str) -> list[list[Any]]:
    """Columns of a catalog as lists, missing values as None."""
    catalog = reader.catalog()
    return [[None if pd.isna(value) else value for value in catalog[column]] for column in columns]


@pytest.fixture
def no_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a header is read for the list of spectra."""

    def refuse(*_: object) -> None:
        pytest.fail("a header was read")

    monkeypatch.setattr("spectral.data.readers.survey_files.listing.scan_headers", refuse)

"""Flags of redshifts in files and catalogs: which rows they choose, and which labels they take."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mmu_files import FIRST_ID, spectra, write_parquet

from spectral.configs.data import readers
from spectral.data.readers.survey_files.catalog_flags import is_set
from spectral.data.readers.survey_files.reader import SurveyFilesReader
from spectral.errors import UserError


def opened(folder: Path, **options: object) -> SurveyFilesReader:
    config = readers.typed({"name": "multimodal_universe", "folder": str(folder), "num_workers": 1, **options})
    return readers.build(config, cache_dir=folder.parent / "cache")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([True, False], [True, False]),
        ([4, 0], [True, False]),
        ([2.0, 0.0, np.nan], [True, False, False]),
        (pd.array([4, 0, None], "Int64"), [True, False, False]),
        (pd.array([True, False, None], "boolean"), [True, False, False]),
        ([True, False, None], [True, False, False]),
        (["T", " true ", "1", "4.0", "F", "false", "0", "", " ", "nan", None], [True] * 4 + [False] * 7),
    ],
)
def test_what_is_not_0_and_not_missing_is_set(values: list[object], found: list[bool]) -> None:
    assert is_set(pd.Series(values, name="ZWARN"), "data.catalog=z.csv").tolist() == found


@pytest.mark.parametrize("kind", ["bool", "int64"])
def test_a_spectrum_whose_redshift_has_a_warning_has_no_label(tmp_path: Path, kind: str) -> None:
    ids = [str(FIRST_ID + i) for i in range(3)]
    columns = {"object_id": ids, "CLASS": ["STAR", "QSO", "GALAXY"], "ZWARNING": np.array([0, 1, 0], kind)}
    write_parquet(tmp_path / "mmu" / "train-0.parquet", spectra(3), **columns)
    (tmp_path / "mmu" / "damaged.parquet").write_text("no spectra")  # a row without a warning of its own
    labels = opened(tmp_path / "mmu").catalog().set_index("id")["label"]
    assert labels[ids].fillna("-").tolist() == ["star", "-", "galaxy"]
    kept = opened(tmp_path / "mmu", zwarn_labels=True).catalog().set_index("id")["label"]
    assert kept[ids].tolist() == ["star", "qso", "galaxy"]


@pytest.fixture
def labelled(tmp_path: Path) -> Callable[..., pd.Series]:
    """The labels of three spectra from a catalog of four rows, the first and the last of one object."""

    def labels(**columns: list[object]) -> pd.Series:
        ids = [str(FIRST_ID + i) for i in range(3)]
        write_parquet(tmp_path / "mmu" / "train-0.parquet", spectra(3), object_id=ids)
        table = {"TARGETID": [*ids, ids[0]], "SPECTYPE": ["STAR", "QSO", "GALAXY", "QSO"], **columns}
        pd.DataFrame(table).to_csv(tmp_path / "z.csv", index=False)
        return opened(tmp_path / "mmu", catalog=str(tmp_path / "z.csv")).catalog()["label"]

    return labels


WAYS = [(True, False), (1, 0), ("true", "false"), ("T", "F"), ("t", " f"), (1, None), ("T", "")]  # to say yes and no


@pytest.mark.parametrize(("yes", "no"), WAYS)
def test_labels_come_from_a_catalog_where_files_have_none(
    labelled: Callable[..., pd.Series], yes: object, no: object
) -> None:
    assert labelled(ZCAT_PRIMARY=[yes, yes, yes, no]).tolist() == ["star", "qso", "galaxy"]


@pytest.mark.parametrize(("yes", "no"), WAYS)
def test_a_warning_of_a_catalog_counts_as_it_is_written(
    labelled: Callable[..., pd.Series], yes: object, no: object
) -> None:
    found = labelled(ZCAT_PRIMARY=[1, 1, 1, 0], ZWARN=[no, yes, no, no])
    assert found.fillna("-").tolist() == ["star", "-", "galaxy"]


@pytest.mark.parametrize("no", [0, "F", False])
def test_a_catalog_without_a_primary_row_is_refused(labelled: Callable[..., pd.Series], no: object) -> None:
    with pytest.raises(UserError, match=r"data\.catalog=.*z\.csv has no row with ZCAT_PRIMARY, which marks the best"):
        labelled(ZCAT_PRIMARY=[no] * 4)


def test_a_column_of_primary_rows_without_values_chooses_none(labelled: Callable[..., pd.Series]) -> None:
    objects = [str(FIRST_ID + i) for i in (0, 1, 2, 9)]
    assert labelled(TARGETID=objects, ZCAT_PRIMARY=[None] * 4).tolist() == ["star", "qso", "galaxy"]


@pytest.mark.parametrize("column", ["ZCAT_PRIMARY", "ZWARN"])
def test_a_flag_that_is_neither_true_nor_false_is_refused(labelled: Callable[..., pd.Series], column: str) -> None:
    flags = {"ZCAT_PRIMARY": [1, 1, 1, 0], column: ["1", "best", "1", "0"]}
    with pytest.raises(UserError, match=rf"data\.catalog=.*z\.csv has 'best' in '{column}': a number, true or false"):
        labelled(**flags)

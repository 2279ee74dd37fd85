"""Catalogs of surveys as tables."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest

from spectral.data.readers.survey_files.catalog_table import read_catalog_table

TABLE = "plate,mjd,fiberid,class\n266,51630,1,STAR\n266,51630,2,QSO\n"


def read(path: Path, text: str) -> pd.DataFrame:
    path.write_text(text)
    return read_catalog_table(str(path), {})


@pytest.mark.parametrize("before", ["#Table1\n", "# SkyServer\n#\n", "# made 2020, by me\n", "#a|b\n"])
def test_comments_before_the_names_are_left_out(tmp_path: Path, before: str) -> None:
    pd.testing.assert_frame_equal(read(tmp_path / "a.csv", before + TABLE), read(tmp_path / "b.csv", TABLE))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#id\n1\n2\n", ["#id"]),
        ("#id,class\n1,STAR\n2,QSO\n", ["#id", "class"]),
        ("#Produced 2021, v2\n#id,class\n1,STAR\n2,QSO\n", ["#id", "class"]),
        ('# from DR18, again, and again\n#id,class\n1,"STAR, G"\n2,QSO\n', ["#id", "class"]),
    ],
)
def test_names_may_begin_as_comments_do(tmp_path: Path, text: str, names: list[str]) -> None:
    table = read(tmp_path / "a.csv", text)
    assert table.columns.tolist() == names and len(table) == 2


def test_whole_numbers_of_64_bits_are_exact_also_if_some_are_missing(tmp_path: Path) -> None:
    table = read(tmp_path / "a.csv", "a,b,c\n10696049473768914944,9223372036854775811,1e20\n1,,10\n")
    assert table.dtypes.astype(str).tolist() == ["uint64", "UInt64", "float64"]
    assert table["a"].tolist() == [10696049473768914944, 1] and table["b"][0] == 9223372036854775811
    assert table["b"].isna().tolist() == [False, True] and table["c"].tolist() == [1e20, 10.0]


def test_columns_that_no_whole_numbers_of_64_bits_can_be_are_not_read_again_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_csv, calls = pyarrow.csv.read_csv, list[object]()

    def counted(path: object, **options: object) -> pa.Table:
        calls.append(path)
        return read_csv(path, **options)

    monkeypatch.setattr(pyarrow.csv, "read_csv", counted)
    table = read(tmp_path / "a.csv", "a,b,c\ninf,1e30,1e17\n1,2,0.5\n")
    assert len(calls) == 1 and table["a"].tolist() == [float("inf"), 1.0]

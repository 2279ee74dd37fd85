"""The first look at some spectra, where most of them cannot be read."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reader_cases.lamost import LamostImageCase
from survey_tests import few_spectra, lamost
from toy_reader import ToyReader, config

from spectral.configs.data import GridConfig, readers
from spectral.configs.readers import TianchiConfig
from spectral.configs.survey_files import LamostConfig
from spectral.data.packing.limit import LimitedReader
from spectral.data.packing.pack import pack
from spectral.data.packing.probe import probed
from spectral.errors import UserError

NUM = 9000
THERE = {4001, 4002, 7003}


@dataclass
class KnowingReader(ToyReader):
    """Knows which of its rows are bad."""

    def known_bad(self) -> np.ndarray:
        return np.isin(np.arange(self.num), [*self.unreadable])


def reader(tmp_path: Path, num: int, there: set[int], kind: type[ToyReader] = ToyReader) -> ToyReader:
    gone = dict.fromkeys(set(range(num)) - there, "missing file: x")
    return kind(num=num, unreadable=gone, with_ivar=True, read_log=str(tmp_path / "log"))


def rows_read(tmp_path: Path) -> list[list[int]]:
    return [json.loads(line)["rows"] for line in (tmp_path / "log").read_text().splitlines()]


def test_where_some_of_the_first_can_be_read_no_others_are_tried(tmp_path: Path) -> None:
    probe = probed(reader(tmp_path, 640, {0}), config(), 640)
    assert (probe.rules.num_channels, probe.rules.length, probe.has_ivar) == (1, 12, True)
    assert [len(rows) for rows in rows_read(tmp_path)] == [64]


def test_others_are_tried_until_some_can_be_read(tmp_path: Path) -> None:
    first = {*np.linspace(0, 3999, 64).astype(int).tolist()}
    probe = probed(reader(tmp_path, 4000, set(range(4000)) - first), config(), 4000)
    assert probe.rules.length == 12
    assert [len(rows) for rows in rows_read(tmp_path)] == [64, 64]


def test_a_row_that_is_known_to_be_bad_is_not_tried(tmp_path: Path) -> None:
    made = LimitedReader(reader(tmp_path, NUM, THERE, KnowingReader), np.arange(1, NUM))
    assert probed(made, config(), NUM - 1).rules.length == 12
    assert rows_read(tmp_path)[1:] == [sorted(THERE)]


def test_no_more_than_some_thousand_are_tried(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"None of 4,160 spectra tried could be read, the first because: missing file"):
        probed(reader(tmp_path, NUM, set()), config(), NUM)
    rows = [row for some in rows_read(tmp_path) for row in some]
    assert len(rows) == len({*rows}) == 4160


def test_a_survey_of_which_all_are_known_to_be_bad_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="None of 64 spectra tried could be read"):
        probed(reader(tmp_path, NUM, set(), KnowingReader), config(), NUM)


def test_a_catalog_of_a_whole_survey_with_files_of_a_part_is_packed(tmp_path: Path) -> None:
    spectra = few_spectra(3)
    LamostImageCase().write(tmp_path, spectra)
    ids = [f"a{row}" for row in range(400)] + [spectrum.id for spectrum in spectra] + [f"b{row}" for row in range(4500)]
    files = [f"spec-55862-B0000_sp01-{row - 400:03d}" if 400 <= row < 403 else "none" for row in range(len(ids))]
    pd.DataFrame({"obsid": ids, "file": files, "class": "STAR"}).to_csv(tmp_path / "c.csv", index=False)
    given = {"catalog": str(tmp_path / "c.csv"), "file_key": "file", "on_bad": "skip", "num_workers": 1}
    folder, grid = tmp_path / "spectra", GridConfig("log", 4000.0, 4020.0, 1e-4)
    options = LamostConfig(folder=str(folder), grid=grid, **given)  # type: ignore[arg-type]  # options of several types
    survey = pack(lamost(folder, **given), options, tmp_path / "pack", progress=False)
    assert survey.catalog["id"].tolist() == [spectrum.id for spectrum in spectra]
    assert survey.skipped == {"missing file": 4900}


def test_an_index_of_a_whole_survey_with_files_of_a_part_is_packed(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "s4001.txt").write_text("1,2,3")
    (tmp_path / "index.csv").write_text("id,type\n" + "".join(f"s{row},star\n" for row in range(NUM)))
    options = TianchiConfig(index=str(tmp_path / "index.csv"), folder=str(tmp_path / "train"), on_bad="skip")
    options.num_workers = 1
    survey = pack(readers.build(options), options, tmp_path / "pack", progress=False)
    assert survey.catalog["id"].tolist() == ["s4001"] and survey.skipped == {"missing file": NUM - 1}

"""Some of a survey's spectra, to try a large one quickly."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy_reader import ToyReader, config, toy_flux

from spectral.data.packing.limit import limited_rows
from spectral.data.packing.pack import open_or_pack
from spectral.errors import UserError


def test_the_first_spectra(tmp_path: Path) -> None:
    survey = open_or_pack(ToyReader(), config(limit=5, limit_draw="first"), tmp_path, progress=False)
    assert survey.catalog["id"].tolist() == ["s0", "s1", "s2", "s3", "s4"]
    np.testing.assert_array_equal(survey.flux[:, 0], [toy_flux(row, 1, 12)[0] for row in range(5)])


@pytest.mark.parametrize("num_workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_stratified_draw_has_every_class_and_the_right_spectra(num_workers: int, tmp_path: Path) -> None:
    reader = ToyReader(num=100, labels=("star",) * 9 + ("qso",))
    survey = open_or_pack(reader, config(limit=20, num_workers=num_workers), tmp_path, progress=False)
    assert survey.catalog["label"].value_counts().to_dict() == {"star": 18, "qso": 2}
    for row, id_ in zip(survey.flux, survey.catalog["id"], strict=True):
        np.testing.assert_array_equal(row, toy_flux(int(id_[1:]), 1, 12))


def test_each_limit_has_a_pack_of_its_own(tmp_path: Path) -> None:
    options = [{}, {"limit": 5}, {"limit": 6}, {"limit": 6, "limit_draw": "first"}]
    surveys = [open_or_pack(ToyReader(), config(**o), tmp_path, progress=False) for o in options]
    assert [len(survey) for survey in surveys] == [40, 5, 6, 6]
    assert len({survey.folder for survey in surveys}) == len({survey.fingerprint for survey in surveys}) == 4


def test_a_limit_above_the_survey_changes_nothing(tmp_path: Path) -> None:
    assert len(open_or_pack(ToyReader(), config(limit=1000), tmp_path, progress=False)) == 40


@pytest.mark.parametrize(("num", "expected"), [(3, {"a": 1, "b": 1, "": 1}), (12, {"a": 10, "b": 1, "": 1})])
def test_rare_classes_and_missing_labels_are_drawn(num: int, expected: dict[str, int]) -> None:
    labels = pd.Series(["a"] * 100 + ["b"] + [None], dtype="str")
    rows = limited_rows(labels, num, "stratified")
    assert labels[rows].fillna("").value_counts().to_dict() == expected
    assert rows.tolist() == sorted(rows) == limited_rows(labels, num, "stratified").tolist()


def test_errors_of_rows_left_out_do_not_matter(tmp_path: Path) -> None:
    reader = ToyReader(unreadable={30: "gone"})
    assert len(open_or_pack(reader, config(limit=5, limit_draw="first"), tmp_path, progress=False)) == 5
    with pytest.raises(UserError, match="Spectrum s30: gone"):
        open_or_pack(reader, config(limit=35, limit_draw="first"), tmp_path, progress=False)

import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from divided_catalogs import SHARES, STRATIFIED, catalog_of, typed
from hypothesis import given, settings
from hypothesis import strategies as st
from left_parts import leave_part

from spectral.data.splits.split import assign_split
from spectral.errors import UserError


def survey_like(num: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return catalog_of(rng.choice(["star", "unknown", "galaxy", "qso"], num, p=[0.9, 0.06, 0.03, 0.01]))


def folds_of(catalog: pd.DataFrame, folder: Path | None, **options: Any) -> list[pd.Series]:
    return [assign_split(catalog, typed("kfold", num_folds=4, fold=k, **options), folder) for k in range(4)]


class TestStratified:
    @settings(max_examples=25, deadline=None)
    @given(counts=st.lists(st.integers(3, 200), min_size=1, max_size=5), seed=st.integers(0, 2**31))
    def test_each_class_is_divided_within_rounding_and_is_in_every_part(self, counts: list[int], seed: int) -> None:
        catalog = catalog_of(np.repeat([f"class {k}" for k in range(len(counts))], counts))
        split = assign_split(catalog, typed(validation=0.2, test=0.1, seed=seed), None)
        table = pd.crosstab(catalog["label"], split)
        for name, share in SHARES.items():
            exact = share * np.array(counts)
            assert (table[name] >= 1).all()
            # A part that is raised to 1 takes from the largest: two small parts can take 1 each beyond the rounding.
            assert (np.abs(table[name] - exact) < (3 if name == "train" else 1)).all()

    def test_large_classes_are_divided_to_one_spectrum(self) -> None:
        catalog = catalog_of(np.repeat(["a", "b"], [1000, 10]))
        table = pd.crosstab(catalog["label"], assign_split(catalog, STRATIFIED, None))
        assert table.loc["a"].to_dict() == {"train": 700, "validation": 200, "test": 100}
        assert table.loc["b"].to_dict() == {"train": 7, "validation": 2, "test": 1}

    def test_there_is_no_test_part_if_none_is_asked_for(self) -> None:
        split = assign_split(survey_like(1000), typed(validation=0.2, test=0), None)
        assert set(split) == {"train", "validation"}

    def test_seeds_differ_and_one_seed_repeats_in_any_row_order(self) -> None:
        catalog = survey_like(1000)
        one, two = (assign_split(catalog, typed(seed=seed), None) for seed in (0, 1))
        assert (one != two).mean() > 0.1
        shuffled = catalog.sample(frac=1).reset_index(drop=True)
        again = assign_split(shuffled, typed(seed=0), None)
        assert dict(zip(shuffled["id"], again, strict=True)) == dict(zip(catalog["id"], one, strict=True))

    def test_parts_are_spread_over_the_catalog(self) -> None:
        rows = np.flatnonzero(assign_split(catalog_of(["a"] * 3000), STRATIFIED, None) == "test")
        # The mean of 300 of 3000 uniform rows has a standard deviation of 50.
        assert abs(rows.mean() - 1500) < 250

    def test_missing_labels_are_in_no_split(self) -> None:
        catalog = catalog_of(["a", None] * 50)
        split = assign_split(catalog, STRATIFIED, None)
        assert (split[1::2] == "").all() and (split[::2] != "").all()
        assert (assign_split(catalog_of([None] * 5), STRATIFIED, None) == "").all()

    def test_a_class_too_rare_is_named_with_its_count(self) -> None:
        with pytest.raises(UserError, match=r"Class 'qso' has 2 labelled spectra.*3 parts train, validation, test"):
            assign_split(catalog_of(["star"] * 50 + ["qso"] * 2), STRATIFIED, None)
        fewer = assign_split(catalog_of(["star"] * 50 + ["qso"] * 2), typed(validation=0.2, test=0), None)
        assert sorted(fewer[50:]) == ["train", "validation"]

    def test_shares_that_leave_no_training_spectra_are_refused_before_anything_starts(self) -> None:
        with pytest.raises(UserError, match=r"split\.validation=0\.6 and split\.test=0\.4 leave nothing"):
            typed(validation=0.6, test=0.4)


class TestSaved:
    @settings(max_examples=15, deadline=None)
    @given(num_first=st.integers(300, 1200), seed=st.integers(0, 2**31))
    def test_appended_spectra_change_no_split_and_keep_the_shares_of_each_class(
        self, num_first: int, seed: int, tmp_path_factory: Any
    ) -> None:
        folder, catalog = tmp_path_factory.mktemp("pack"), survey_like(1500, seed)
        try:
            first = assign_split(catalog[:num_first], STRATIFIED, folder)
        except UserError:
            return  # one of the rare classes has fewer than 3 spectra so far
        whole = assign_split(catalog, STRATIFIED, folder)
        assert whole[:num_first].tolist() == first.tolist()
        table = pd.crosstab(catalog["label"], whole)
        for name, share in SHARES.items():
            # Earlier rounding of a small class can move the rounding of the whole by 1 more.
            assert (np.abs(table[name] - share * table.sum(axis=1)) < 3).all()

    def test_spectra_removed_and_added_back_keep_their_split(self, tmp_path: Path) -> None:
        # Of each class enough that some in each part stay.
        catalog = catalog_of(np.random.default_rng(0).choice(["star", "qso"], 1000, p=[0.8, 0.2]))
        before = assign_split(catalog, STRATIFIED, tmp_path)
        assign_split(catalog[200:].reset_index(drop=True), STRATIFIED, tmp_path)
        assert assign_split(catalog, STRATIFIED, tmp_path).tolist() == before.tolist()

    def test_saved_splits_are_readable_json(self, tmp_path: Path) -> None:
        catalog = survey_like(1000)
        split = assign_split(catalog, STRATIFIED, tmp_path)
        (path,) = (tmp_path / "splits").glob("stratified-*.json")
        lists = json.loads(path.read_text())
        assert lists["options"] == {"name": "stratified", "validation": 0.2, "test": 0.1, "seed": 0}
        for name in SHARES:
            assert sorted(lists[name]) == sorted(catalog["id"][split == name])

    def test_what_a_killed_process_was_writing_is_removed(self, tmp_path: Path) -> None:
        part = leave_part(tmp_path / "splits" / "stratified.json")
        assign_split(survey_like(1000), STRATIFIED, tmp_path)
        assert not part.exists()

    def test_a_read_only_survey_can_be_split(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise PermissionError(13, "Permission denied")

        catalog = survey_like(2000)
        monkeypatch.setattr(os, "mkdir", refuse)
        with caplog.at_level(logging.WARNING):
            split = assign_split(catalog, STRATIFIED, tmp_path)
        assert split.tolist() == assign_split(catalog, STRATIFIED, None).tolist()
        assert "is read-only" in caplog.text


class TestKFold:
    def test_every_spectrum_is_in_test_or_validates_once(self, tmp_path: Path) -> None:
        catalog = survey_like(2000)
        folds = folds_of(catalog, tmp_path, test=0.2)
        test = folds[0] == "test"
        assert all(((fold == "test") == test).all() for fold in folds) and abs(test.mean() - 0.2) < 0.005
        times = sum((fold == "validation").astype(int) for fold in folds)
        assert (times[~test] == 1).all() and (times[test] == 0).all()
        assert len(list((tmp_path / "splits").glob("*.parquet"))) == 1
        for fold in folds:
            table = pd.crosstab(catalog["label"], fold)
            exact = 0.2 * table.sum(axis=1)
            assert (np.abs(table["validation"] - exact) <= 1).all()

    def test_folds_without_a_test_part_validate_every_spectrum(self) -> None:
        for fold in folds_of(catalog_of(["a", "b"] * 20), None, test=0):
            assert fold.value_counts().to_dict() == {"train": 30, "validation": 10}

    def test_a_fold_beyond_the_last_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"split\.fold=5 is out of range: with 5 folds it is at most 4"):
            typed("kfold", num_folds=5, fold=5)


class TestGiven:
    SOURCE = ("train",) * 80 + ("test",) * 20

    def test_validation_comes_from_train_alone(self, tmp_path: Path) -> None:
        catalog = catalog_of(["a", "b"] * 50).assign(split=self.SOURCE)
        split = assign_split(catalog, typed("given", validation=0.25), tmp_path)
        assert (split[80:] == "test").all()
        assert pd.crosstab(catalog["label"][:80], split[:80])["validation"].tolist() == [10, 10]

    def test_without_validation_the_given_split_is_kept_exactly(self) -> None:
        catalog = catalog_of(["a"] * 99 + ["b"]).assign(split=self.SOURCE)
        split = assign_split(catalog, typed("given", validation=0), None)
        assert split.tolist() == list(self.SOURCE)

    def test_the_sources_own_validation_is_kept(self) -> None:
        source = ["train"] * 70 + ["validation"] * 10 + ["test"] * 15 + [""] * 5
        split = assign_split(catalog_of(["a"] * 100).assign(split=source), typed("given", validation=0.5), None)
        assert split.tolist() == source

    @pytest.mark.parametrize(
        ("columns", "sentence"),
        [
            ({}, "needs a split column"),
            ({"split": ["train"] * 99 + ["tst"]}, "split 'tst' is not known: did you mean 'test'"),
            ({"split": ["test"] * 100}, "finds no spectrum of the split 'train'"),
        ],
    )
    def test_a_catalog_without_the_needed_column_is_refused(self, columns: dict[str, Any], sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            assign_split(catalog_of(["a"] * 100).assign(**columns), typed("given"), None)


class TestRandom:
    REFERENCE = typed("random", validation=0.2, test=0.0, seed=2018)

    def test_the_reference_split_is_80_to_20_of_the_whole(self) -> None:
        catalog = survey_like(5000)
        split = assign_split(catalog, self.REFERENCE, None)
        assert split.value_counts().to_dict() == {"train": 4000, "validation": 1000}

    def test_a_random_part_may_miss_classes(self) -> None:
        split = assign_split(catalog_of(["star"] * 50 + ["qso"]), self.REFERENCE, None)
        assert set(split) == {"train", "validation"}


def test_a_repeat_divides_again_what_is_not_the_test_part(tmp_path: Path) -> None:
    catalog = survey_like(3000)
    (tmp_path / "splits").mkdir()
    first = folds_of(catalog, tmp_path, test=0.2)
    again = [
        assign_split(catalog, typed("kfold", num_folds=4, num_repeats=2, fold=k, test=0.2), tmp_path) for k in range(8)
    ]
    for mine, other in zip(again[:4], first, strict=True):
        pd.testing.assert_series_equal(mine, other)
    assert all((split == "test").equals(first[0] == "test") for split in again)
    assert sum((split == "validation").astype(int) for split in again[4:]).tolist() == [
        int(part != "test") for part in first[0]
    ]
    shared = ((again[4] == "validation") & (again[0] == "validation")).sum() / (again[0] == "validation").sum()
    assert 0.15 < shared < 0.35  # a quarter, by chance

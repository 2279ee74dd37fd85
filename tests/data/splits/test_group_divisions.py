"""Dividing spectra of which several are of one object: groups stay whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from divided_catalogs import SHARES, STRATIFIED, catalog_of, typed
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.data.splits.split import assign_split
from spectral.errors import UserError


@st.composite
def grouped(draw: st.DrawFn) -> tuple[pd.DataFrame, int]:
    """A catalog with groups of any size, some spectra without one, and how many rows of it came first."""
    num = draw(st.integers(30, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    groups = [None if rng.random() < 0.4 else f"object {g}" for g in rng.integers(0, draw(st.integers(8, 60)), num)]
    return catalog_of(rng.choice(["a", "b"], num), groups), draw(st.integers(20, num))


# Spectra of three classes in twelve groups. The largest group first leaves no division with every class everywhere.
TIGHT = [(0, 14, 2), (23, 26, 0), (19, 0, 29), (0, 28, 20), (0, 18, 0), (14, 12, 0)]
TIGHT += [(2, 10, 1), (0, 15, 15), (0, 12, 0), (8, 23, 0), (0, 29, 18), (17, 16, 0)]


def catalog_of_counts(counts: Any) -> pd.DataFrame:
    """A catalog with groups of so many spectra of each class."""
    group, label = (index.ravel() for index in np.indices(np.shape(counts)))
    times = np.ravel(counts)
    return catalog_of(np.repeat(label, times).astype(str), np.repeat(group, times).astype(str))


@st.composite
def divisible(draw: st.DrawFn) -> pd.DataFrame:
    """A catalog of few groups of which a division with every class in every part was planted."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    num_groups, num_classes = draw(st.integers(6, 13)), draw(st.integers(2, 3))
    there = rng.random((num_groups, num_classes)) < rng.uniform(0.2, 0.9, num_classes)
    for part in range(3):
        there[rng.integers(part * 2, part * 2 + 2, num_classes), range(num_classes)] = True
    return catalog_of_counts(there * rng.integers(1, 40, there.shape))


class TestGroups:
    def test_few_groups_of_several_classes_are_divided_by_every_seed(self) -> None:
        catalog = catalog_of_counts(TIGHT)
        for seed in range(5):
            split = assign_split(catalog, typed(seed=seed), None)
            assert (pd.crosstab(catalog["label"], split)[[*SHARES]] > 0).all(axis=None)
            assert split.groupby(catalog["group"]).nunique().max() == 1

    def test_seeds_and_repeats_differ_if_all_groups_differ_in_size(self) -> None:
        sizes = np.arange(2, 42)
        catalog = catalog_of_counts(np.stack([sizes * (sizes % 3 > 0), sizes * (sizes % 3 == 0)], axis=1))
        seeds = [assign_split(catalog, typed(seed=seed), None) for seed in range(3)]
        repeats = [assign_split(catalog, typed("kfold", num_repeats=3, fold=5 * k, test=0), None) for k in range(3)]
        for part, splits_ in (("test", seeds), ("validation", repeats)):
            assert len({frozenset(catalog["group"][split == part]) for split in splits_}) == 3
        for split in seeds:
            table = pd.crosstab(catalog["label"], split, normalize="index")[["train", "validation", "test"]]
            np.testing.assert_allclose(table, [[0.8, 0.1, 0.1]] * 2, atol=0.05)

    @settings(max_examples=25, deadline=None)
    @given(catalog=divisible())
    def test_groups_that_can_be_divided_are(self, catalog: pd.DataFrame) -> None:
        split = assign_split(catalog, STRATIFIED, None)
        assert (pd.crosstab(catalog["label"], split)[[*SHARES]] > 0).all(axis=None)

    def test_a_class_of_enough_groups_that_cannot_be_divided_is_not_called_too_rare(self) -> None:
        # The third and the fourth group must be in the part that has neither of the first two: one for the last class.
        counts = [(5, 5, 0), (5, 5, 0), (5, 0, 5), (0, 5, 5), (0, 0, 5)]
        sentence = (
            r"^No division was found that has class '\d' in each of the 3 parts train, validation, test, "
            r"though it has 3 labelled spectra or groups: more of them are needed, or fewer parts by split\.test=0\.$"
        )
        with pytest.raises(UserError, match=sentence):
            assign_split(catalog_of_counts(counts), STRATIFIED, None)

    @settings(max_examples=20, deadline=None)
    @given(drawn=grouped())
    def test_groups_stay_together_and_assigned_spectra_never_move(
        self, drawn: tuple[pd.DataFrame, int], tmp_path_factory: Any
    ) -> None:
        catalog, num_first = drawn
        folder = tmp_path_factory.mktemp("pack")
        try:
            first = assign_split(catalog[:num_first], STRATIFIED, folder)
        except UserError:
            return  # too few objects of a class among the first
        whole = assign_split(catalog, STRATIFIED, folder)
        assert whole[:num_first].tolist() == first.tolist()
        assert whole.groupby(catalog["group"]).nunique().max() == 1
        assert set(pd.crosstab(catalog["label"], whole).to_numpy().ravel() > 0) == {True}

    def test_proportions_hold_if_groups_are_small(self) -> None:
        rng = np.random.default_rng(0)
        catalog = catalog_of(rng.choice(["a", "b"], 6000, p=[0.9, 0.1]), rng.integers(0, 2500, 6000).astype(str))
        table = pd.crosstab(catalog["label"], assign_split(catalog, STRATIFIED, None), normalize="index")
        # 600 spectra of b in groups of about 2.4: counts within a few spectra of their share.
        np.testing.assert_allclose(table[[*SHARES]], [[*SHARES.values()]] * 2, atol=0.01)

    def test_every_part_gets_a_rare_class_of_few_objects(self) -> None:
        catalog = catalog_of(["star"] * 60 + ["qso"] * 5, [None] * 60 + ["x", "x", "y", "y", "z"])
        for seed in range(20):
            split = assign_split(catalog, typed(validation=0.1, test=0.1, seed=seed), None)
            assert set(split[60:]) == set(SHARES)

    def test_a_class_of_many_spectra_but_few_objects_is_too_rare(self) -> None:
        catalog = catalog_of(["star"] * 60 + ["qso"] * 9, [None] * 60 + ["x"] * 5 + ["y"] * 4)
        with pytest.raises(UserError, match="Class 'qso' has 2 labelled spectra or groups"):
            assign_split(catalog, STRATIFIED, None)

    def test_a_new_epoch_follows_its_object(self, tmp_path: Path) -> None:
        catalog = catalog_of(["a"] * 40, [f"object {i}" for i in range(40)])
        before = assign_split(catalog, STRATIFIED, tmp_path)
        epochs = catalog_of(["a"] * 40, [f"object {i}" for i in range(40)], first=40)
        after = assign_split(pd.concat([catalog, epochs], ignore_index=True), STRATIFIED, tmp_path)
        assert after.tolist() == before.tolist() * 2

    def test_groups_that_later_join_two_parts_are_reported(self, tmp_path: Path) -> None:
        catalog = catalog_of(["a"] * 40)
        split = assign_split(catalog, STRATIFIED, tmp_path)
        joined = catalog.assign(group=None).astype({"group": "str"})
        joined.loc[[split.eq("train").idxmax(), split.eq("test").idxmax()], "group"] = "M 31"
        with pytest.raises(UserError, match="Spectra of group M 31 are in several parts of the saved split"):
            assign_split(joined, STRATIFIED, tmp_path)

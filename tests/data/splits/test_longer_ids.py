"""Spectra whose ids have become longer, since another file of their survey has them too."""

from pathlib import Path

import pandas as pd

from spectral.configs.split import splits
from spectral.data.splits.split import assign_split

STRATIFIED = splits.typed({"name": "stratified", "validation": 0.2, "test": 0.1}, "split")


def catalog_of(num: int, spectra_per_object: int, first: int = 0) -> pd.DataFrame:
    rows = range(first, first + num)
    columns = {"id": [f"s{row}" for row in rows], "label": "a"}
    return pd.DataFrame(columns | {"group": [f"object {row // spectra_per_object}" for row in rows]}, dtype="str")


def test_an_object_keeps_its_part_when_its_ids_become_longer(tmp_path: Path) -> None:
    catalog = catalog_of(40, 2)
    before = assign_split(catalog, STRATIFIED, tmp_path)
    longer = catalog.assign(id=catalog["id"] + "-dark", short_id=catalog["id"])
    new = catalog_of(40, 2, first=100)
    after = assign_split(pd.concat([new, longer], ignore_index=True), STRATIFIED, tmp_path)
    assert after[40:].tolist() == before.tolist() and set(after[:40]) == {"train", "validation", "test"}


def test_an_object_that_is_known_by_an_id_does_not_follow_a_short_one(tmp_path: Path) -> None:
    catalog = catalog_of(40, 1)
    before = assign_split(catalog, STRATIFIED, tmp_path)
    in_test, in_train = before.eq("test").idxmax(), before.eq("train").idxmax()
    row = catalog.iloc[[in_test]].assign(id="new", short_id=catalog["id"][in_train])
    after = assign_split(pd.concat([catalog, row], ignore_index=True), STRATIFIED, tmp_path)
    assert after.tolist() == [*before, "test"]

"""A survey that has grown by files with the ids of others: what was divided before stays where it was."""

from pathlib import Path

import pandas as pd
import pytest
from desi_files import FIRST_ID, write_desi, write_redrock

from spectral.configs.data import readers
from spectral.configs.split import splits
from spectral.data.splits.split import assign_split

SPLIT = splits.typed({"name": "stratified", "validation": 0.2, "test": 0.3}, "split")


def catalog_of(name: str, folder: Path, **options: object) -> pd.DataFrame:
    config = readers.typed({"name": name, "folder": str(folder), "num_workers": 1, **options})
    return readers.build(config, cache_dir=folder.parent / "cache").catalog()


@pytest.mark.parametrize("kind", ["coadd", "spectra"])
def test_objects_stay_in_their_part_of_a_split_when_another_file_has_them_too(tmp_path: Path, kind: str) -> None:
    ids, classes = [FIRST_ID + i for i in range(30)], ["STAR", "QSO"] * 15
    exposures = None if kind == "coadd" else range(30)

    def parts_with(name: str) -> pd.Series:
        write_desi(tmp_path / "d" / f"{kind}-{name}.fits", ids, exposures=exposures)
        write_redrock(tmp_path / "d" / f"redrock-{name}.fits", ids, classes)
        catalog = catalog_of("desi", tmp_path / "d", kind=kind)
        return pd.Series(assign_split(catalog, SPLIT, tmp_path).to_numpy(), catalog["group"])

    before = parts_with("sv3-bright-10378")
    after = parts_with("main-dark-10378")
    assert len(after) == 60 and after.tolist() == before[after.index].tolist()


def test_a_file_stays_in_its_part_of_a_split_when_another_folder_has_one_of_its_name(tmp_path: Path) -> None:
    def parts_with(night: str) -> dict[str, str]:
        for number in range(30):
            path = tmp_path / "s" / ("qso", "star")[number % 2] / night / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("4000 1\n4001 2\n")
        catalog = catalog_of("two_column", tmp_path / "s")
        parts = assign_split(catalog, SPLIT, tmp_path)
        return dict(zip(catalog["file"], parts, strict=True))

    before = parts_with("night1")
    after = parts_with("night2")
    assert len(after) == 60 and {file: after[file] for file in before} == before

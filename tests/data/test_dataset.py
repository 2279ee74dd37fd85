"""What data must have before anything is trained on it."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_runs import arrays, run

from spectral.configs import readers as _readers  # noqa: F401  (registers itself)
from spectral.configs.data import readers
from spectral.configs.split import splits
from spectral.data.dataset import Dataset
from spectral.errors import UserError


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (["star"] * 120, "The data has the one class 'star': training needs two or more"),
        ([""] * 120, "leaves no labelled spectrum to train on, of 120 in all"),
        (["star"] * 118 + ["qso"] * 2, "Class 'qso' has 2 labelled spectra, too few for the 3 parts"),
    ],
)
def test_too_few_classes_or_labels_are_refused(
    labels: list[str], sentence: str, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", **arrays() | {"label": np.array(labels)})
    data = ["data=arrays", f"data.path={tmp_path / 'data.npz'}", "data.num_workers=1", f"cache_dir={tmp_path}"]
    with pytest.raises(UserError, match=sentence):
        run([*data, *(override for override in small() if not override.startswith("data"))])


def test_spectra_without_a_label_and_classes_missing_from_a_part_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flux = np.random.default_rng(0).normal(size=(8, 32)).astype(np.float32)
    labels = np.array(["a", "b", "c", "a", "b", "a", "b", ""])
    split = np.array(["train"] * 5 + ["test"] * 2 + [""])
    np.savez(tmp_path / "survey.npz", flux=flux, type=labels, split=split)
    config = readers.typed({"name": "arrays", "path": str(tmp_path / "survey.npz")})
    with caplog.at_level(logging.INFO):
        Dataset.open(config, splits.typed({"name": "given", "validation": 0.0}), tmp_path / "cache")
    assert "8 spectra of 32 points; classes a, b, c; 5 training, 0 validation, 2 test." in caplog.text
    assert "1 spectra have no label and belong to no split." in caplog.text
    assert "The test part has no spectrum of class 'c': its F1 there says nothing." in caplog.text


def test_the_keys_that_leave_a_rare_class_out_are_named(tmp_path: Path) -> None:
    labels = np.array(["star"] * 40 + ["galaxy"] * 40 + ["unknown"])
    np.savez(tmp_path / "survey.npz", flux=np.ones((81, 8), np.float32), type=labels)
    config = readers.typed({"name": "arrays", "path": str(tmp_path / "survey.npz"), "num_workers": 1})
    sentence = (
        r"'unknown' has 1 labelled spectrum, .* 'data\.class_names=\[star,galaxy\]' and data\.on_bad=skip leaves it out"
    )
    with pytest.raises(UserError, match=sentence):
        Dataset.open(config, splits.typed("stratified"), tmp_path / "cache")


def test_one_class_of_those_that_are_named_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "survey.npz", flux=np.ones((40, 8), np.float32), type=np.array(["QSO"] * 39 + [""]))
    named = {"class_names": ["STAR", "GALAXY", "QSO"], "num_workers": 1}
    config = readers.typed({"name": "arrays", "path": str(tmp_path / "survey.npz"), **named})
    with pytest.raises(UserError, match="has the one class 'QSO' of STAR, GALAXY, QSO: training needs two or more"):
        Dataset.open(config, splits.typed("stratified"), tmp_path / "cache")


def test_all_classes_that_a_part_lacks_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(tmp_path, "given", split=np.array(["train"] * 84 + ["test"] * 6))
    assert "The test part has no spectrum of class 'a': its F1 there says nothing." in caplog.text
    caplog.clear()
    opened(tmp_path, "given", split=np.array(["train"] * 87 + ["test"] * 3))
    assert "The test part has no spectrum of classes 'a', 'b': their F1 there says nothing." in caplog.text


def opened(tmp_path: Path, how: str = "stratified", **columns: object) -> Dataset:
    """Ninety spectra of thirty objects, ten of each of three classes."""
    flux = np.random.default_rng(0).normal(size=(90, 16)).astype(np.float32)
    labels = np.array(["a", "b", "c"])[np.arange(90) // 3 % 3]
    np.savez(tmp_path / "survey.npz", flux=flux, type=labels, **columns)  # type: ignore[arg-type]  # arrays
    key = {"group_key": "sample"} if "sample" in columns and how != "unnamed" else {}
    config = readers.typed({"name": "arrays", "path": str(tmp_path / "survey.npz"), "num_workers": 1, **key})
    options = {"validation": 0.0} if how == "given" else {"validation": 0.2, "test": 0.2}
    name = "stratified" if how == "unnamed" else how
    return Dataset.open(config, splits.typed({"name": name, **options}), tmp_path / "cache")


def test_groups_are_counted_and_asked_about_where_nothing_names_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sample = np.array([f"s{row // 3}" for row in range(90)])
    with caplog.at_level(logging.INFO):
        opened(tmp_path, sample=sample)
    assert "90 spectra of 16 points, of 30 groups;" in caplog.text and "repeats" not in caplog.text
    caplog.clear()
    opened(tmp_path, "unnamed", sample=sample, night=np.arange(90) % 5, serial=np.arange(90))
    asked = [record.getMessage() for record in caplog.records if "repeats" in record.getMessage()]
    assert len(asked) == 1
    assert "The column 'sample' repeats: 30 values for 90 spectra." in asked[0]
    assert "data.group_key=sample keeps its spectra in one part" in asked[0]


def test_objects_that_a_given_split_tears_apart_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sample = np.array([f"s{row // 3}" for row in range(90)])
    part = np.where(np.arange(90) < 60, "train", "test")
    opened(tmp_path, "given", sample=sample, split=part)
    assert "more than one part" not in caplog.text
    part[[0, 3]] = "test"
    opened(tmp_path, "given", sample=sample, split=part)
    assert "split=given has 2 of 30 objects in more than one part, with 6 spectra" in caplog.text


def test_without_a_label_column_the_columns_are_named(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "survey.npz", flux=np.ones((8, 4), np.float32), id=np.arange(8), subclass=np.array(list("abababab"))
    )
    config = readers.typed({"name": "arrays", "path": str(tmp_path / "survey.npz"), "num_workers": 1})
    with pytest.raises(UserError, match=r"data\.label_key names another; the data has id, subclass\."):
        Dataset.open(config, splits.typed("stratified"), tmp_path / "cache")

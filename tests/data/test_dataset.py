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
        (["star"] * 118 + ["qso"] * 2, "Class 'qso' has 2 labelled spectra or groups, too few for the 3 parts"),
    ],
)
def test_too_few_classes_or_labels(
    labels: list[str], sentence: str, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", **arrays() | {"label": np.array(labels)})
    data = ["data=arrays", f"data.path={tmp_path / 'data.npz'}", "data.num_workers=1", f"cache_dir={tmp_path}"]
    with pytest.raises(UserError, match=sentence):
        run([*data, *(override for override in small() if not override.startswith("data"))])


def test_spectra_without_a_label_and_classes_missing_from_a_part_are_told(
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


def test_without_a_label_column_the_columns_are_named(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "survey.npz", flux=np.ones((8, 4), np.float32), id=np.arange(8), subclass=np.array(list("abababab"))
    )
    config = readers.typed({"name": "arrays", "path": str(tmp_path / "survey.npz"), "num_workers": 1})
    with pytest.raises(UserError, match=r"data\.label_key names another; the data has id, subclass\."):
        Dataset.open(config, splits.typed("stratified"), tmp_path / "cache")

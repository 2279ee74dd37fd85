"""What data must have before anything is trained on it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_runs import arrays, run

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

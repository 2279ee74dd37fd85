"""Whether a run may be scored on spectra that another one was trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spectral.data.dataset import Dataset
from spectral.inference.other_split import doubt_of_split
from spectral.runs.folder import RunFolder
from spectral.survey import Survey

NUM = 12
DOUBT = "init=FOLDER has another split: it may have been trained on spectra that this run is scored on."


def dataset(*validation: int) -> Dataset:
    catalog = pd.DataFrame({"id": [str(row) for row in range(NUM)], "class_index": np.arange(NUM) % 2})
    survey = Survey(np.zeros((NUM, 1, 8), np.float32), catalog, ("a", "b"), fingerprint="f")
    test = np.array([NUM - 1])
    return Dataset(survey, np.setdiff1d(np.arange(NUM - 1), validation), np.array(validation, dtype=np.int64), test)


@pytest.mark.parametrize(
    ("theirs", "own", "said"),
    [((0, 1), (0, 1), ""), ((0, 1), (2, 3), DOUBT), ((), (2, 3), DOUBT), ((), (), ""), (None, (2, 3), "")],
)
def test_a_run_that_validated_on_other_spectra_is_doubted(
    theirs: tuple[int, ...] | None, own: tuple[int, ...], said: str, tmp_path: Path
) -> None:
    """One that validated on none too; None: it left no predictions."""
    other = RunFolder(tmp_path)
    survey = {"class_names": ["a", "b"], "fingerprint": "f"}
    other.write_result(
        {"objective": "train/loss", "train/loss": 1.0, "best_epoch": 1, "confusion": {}, "score_test": False}
        | {"survey": survey}
    )
    if theirs is not None:
        columns = {"id": [str(row) for row in theirs], "split": "validation", "label": "a", "predicted": "a"}
        pd.DataFrame(columns, columns=list(columns)).to_parquet(other.predictions)
    assert doubt_of_split("init=FOLDER", other, dataset(*own)) == said

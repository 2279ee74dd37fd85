"""Finished runs as members of an ensemble: what each has said of a split."""

import json
import shutil
from pathlib import Path

import pytest

from spectral.ensembling.runs import FinishedRun
from spectral.errors import UserError


def test_test_rows_that_the_result_does_not_count_are_not_yet_there(members: list[Path], tmp_path: Path) -> None:
    """As a kill between predictions.parquet and result.json leaves a run whose test split is scored later."""
    shutil.copytree(members[0], tmp_path / "run")
    content = json.loads((tmp_path / "run" / "result.json").read_text())
    held = {key: value for key, value in content.items() if not key.startswith("test/")}
    (tmp_path / "run" / "result.json").write_text(json.dumps(held | {"score_test": False}))
    found = FinishedRun.open(tmp_path / "run")
    assert (found.predictions["split"] == "test").any() and found.predictions_of("test") is None
    validation = found.predictions_of("validation")
    assert validation is not None and len(validation.labels) == content["val/num_spectra"]


def test_the_folder_of_a_sweep_is_answered_with_its_runs(tmp_path: Path) -> None:
    (tmp_path / "study" / "0").mkdir(parents=True)
    (tmp_path / "study" / "0" / "config.yaml").touch()
    with pytest.raises(UserError, match=r"study is not a run folder: .* Give a run in it: \S+/study/0\.$"):
        FinishedRun.open(tmp_path / "study")

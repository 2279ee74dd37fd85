"""What is said against the scores of a member is said against those of its ensemble."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_runs import result

from spectral.ensembling.make import EnsembleOptions, make_ensemble
from spectral.exporting.model_card import model_card
from spectral.runs.folder import RunFolder

DOUBT = "init=x has another split."


def changed(folder: Path, **values: Any) -> Path:
    """A run folder with other keys of its result."""
    (folder / "result.json").write_text(json.dumps(result(folder) | values))
    return folder


@pytest.fixture
def doubtful(members: list[Path], tmp_path: Path) -> Path:
    """A copy of a member that began with weights which make its scores doubtful."""
    copy = shutil.copytree(members[2], tmp_path / "member")
    return changed(copy, init={"folder": "x", "doubt": DOUBT})


def test_doubts_of_a_member_stay_with_it_in_the_ensemble(members: list[Path], doubtful: Path, tmp_path: Path) -> None:
    make_ensemble([members[0], doubtful], tmp_path / "out", EnsembleOptions(select="all"))
    first, second = result(tmp_path / "out")["ensemble"]["members"]
    assert "doubt" not in first and second["doubt"] == DOUBT


def test_a_model_card_says_what_is_said_against_its_scores(members: list[Path], doubtful: Path, tmp_path: Path) -> None:
    make_ensemble([members[0], doubtful], tmp_path / "out", EnsembleOptions(select="all"))
    for folder in (doubtful, tmp_path / "out"):
        assert f"- In doubt: {DOUBT}\n" in model_card(RunFolder(folder))
    assert "In doubt" not in model_card(RunFolder(members[0]))
    of_folds = result(tmp_path / "out")["ensemble"] | {"out_of_fold": True}
    said = "its scores there are not those of their average"
    assert said not in model_card(RunFolder(tmp_path / "out"))
    assert said in model_card(RunFolder(changed(tmp_path / "out", ensemble=of_folds)))

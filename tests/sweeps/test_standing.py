"""The line with which a study is taken up."""

from pathlib import Path

import pytest
from loop_runs import open_study, sweep
from optuna.trial import TrialState

from sweeps.standing import standing
from sweeps.storage import open_storage

SPACE = {"x": {"low": 0.0, "high": 1.0}}


@pytest.fixture(autouse=True)
def _fresh_storages() -> None:
    open_storage.cache_clear()


def test_a_study_begins_goes_on_and_is_finished(tmp_path: Path) -> None:
    study = open_study(tmp_path, SPACE, num_trials=2)
    assert standing(study) == "The study study begins."
    claimed = study.claim()
    assert claimed is not None
    study.give_back(claimed)
    assert standing(study) == "The study study goes on: 0 of 2 trials have ended."
    study.close()
    sweep(tmp_path, SPACE, lambda call: call.values["x"], num_trials=2)
    for total, line in ((2, "is finished: 2 of 2 trials have ended."), (3, "goes on: 2 of 3 trials have ended.")):
        study = open_study(tmp_path, SPACE, num_trials=total)
        assert standing(study) == f"The study study {line}"
        study.close()


def test_a_study_whose_last_scores_are_left_goes_on(tmp_path: Path) -> None:
    study = open_study(tmp_path, SPACE, num_trials=1, search_overrides=["held=true"])
    claimed = study.claim()
    assert claimed is not None
    study.finish(claimed, TrialState.COMPLETE, [1.0])
    assert standing(study) == (
        "The study study goes on: 1 of 1 trials have ended, and scores on the test split are left."
    )
    study.note_final(0, is_done=True)
    assert standing(study) == "The study study is finished: 1 of 1 trials have ended."
    study.close()

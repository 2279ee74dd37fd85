"""The config that all jobs of a study have: a yaml that was edited makes another experiment, with exceptions."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from loop_runs import FLOATS, open_study
from omegaconf import OmegaConf
from optuna import create_trial, load_study
from optuna.trial import TrialState
from search_runs import HERE, finish, start, states

from spectral.errors import UserError
from sweeps.planning.jobs_config import check_same_config
from sweeps.storage.connect import open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import REPORTED, TOTAL

BEGUN: dict[str, Any] = {
    "hydra": {"job": {"name": "app"}},
    "run_dir": "a",
    "sweep": {"report": True},
    "x": 0.5,
    "seed": 1,
    "device": "cpu",
    "score_test": True,
    "optimizer": {"name": "adam", "lr": 0.005, "decay": 0.0},
    "stages": [{"epochs": 3, "steps": "${steps}"}],
    "loss": {"form": "mean_log"},
    "data": {"folder": "old/pack", "grid": None},
    "init": None,
    "teacher": "runs/a",
    "scales": [1, 2],
    "limit": float("nan"),
}
OPTIONS: dict[str, Any] = {"num_trials": 2, "free_keys": ["device"], "search_overrides": ["score_test=false"]}


def resumed_with(
    folder: Path, changes: dict[str, Any], trial: TrialState = TrialState.COMPLETE, **options: Any
) -> None:
    """Give a study its config and a trial, and then the changed config."""
    study = open_study(folder, FLOATS, **{**OPTIONS, **options})
    try:
        check_same_config(study, OmegaConf.create(BEGUN))
        study.study.add_trial(create_trial(state=trial, value=1.0 if trial == TrialState.COMPLETE else None))
        merged: Any = OmegaConf.merge(OmegaConf.create(BEGUN | {"loss": {"form": "mean_of_logs"}}), changes)
        check_same_config(study, merged)
    finally:
        study.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"optimizer": {"lr": 0.05}}, "optimizer.lr was 0.005, now it is 0.05"),
        ({"stages": [{"epochs": 4, "steps": "${steps}"}]}, "stages.0.epochs was 3, now it is 4"),
        ({"stages": []}, "stages was "),
        ({"init": "a"}, "init was null, now it is a"),
    ],
)
def test_another_value_is_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the study study was begun with another config") as refused:
        resumed_with(tmp_path, changes)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "cuda", "run_dir": "b", "seed": 2, "x": 0.1, "score_test": False},
        {"hydra": {"job": {"name": "other"}}, "sweep": {"report": False}},
        {"optimizer": {"added": 1, "decay": 0}},
        {},  # but the new name of the loss's form
    ],
)
def test_what_is_free_searched_added_or_renamed_may_differ(
    changes: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    resumed_with(tmp_path, changes)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_is_free_within_a_list_may_differ(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    changes = {"stages": [{"epochs": 4, "steps": "${steps}"}], "scales": [1, 3]}
    resumed_with(tmp_path, changes, free_keys=["device", "stages.0.epochs", "scales.1"])
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"folder": "new/pack"}}, "data.folder was old/pack, now it is new/pack"),
        ({"teacher": "/moved/runs/a"}, "teacher was runs/a, now it is '/moved/runs/a'"),
        ({"stages": [{"epochs": 3, "steps": 40}]}, "now it is 40"),
    ],
)
def test_what_may_be_the_same_experiment_is_warned_of(
    changes: dict[str, Any], said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    resumed_with(tmp_path, changes)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("The study study was begun with another config: ") and said in warning


def test_a_finished_study_is_shown_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    resumed_with(tmp_path, {"optimizer": {"lr": 0.05}}, num_trials=1)
    assert "optimizer.lr was 0.005" in caplog.text


def test_a_yaml_may_be_fixed_if_all_trials_have_failed(tmp_path: Path) -> None:
    resumed_with(tmp_path, {"optimizer": {"lr": 0.05}}, TrialState.FAIL)


@pytest.mark.slow
def test_a_named_study_is_not_resumed_after_an_edit_of_its_yaml(tmp_path: Path) -> None:
    script = shutil.copytree(HERE / "apps", tmp_path / "apps") / "search_app.py"
    folder, config = tmp_path / "study", tmp_path / "apps" / "conf" / "config.yaml"
    text = config.read_text()
    for num, edited, is_same in ((1, text, True), (2, text.replace("epochs: 3", "epochs: 5"), False), (2, text, True)):
        config.write_text(edited)
        process = start(folder, "sweep.study_name=mine", f"sweep.num_trials={num}", script=script)
        output = finish(process)
        assert (process.returncode == 0) == is_same, output
        if not is_same:
            assert "the study mine was begun with another config (epochs was 3, now it is 5): put the old" in output
            assert asked(folder) == (1, True)  # a command that is refused changes nothing
    assert states(folder) == ["COMPLETE"] * 2


def asked(folder: Path) -> tuple[Any, Any]:
    """How many trials the last command asked for, and whether the study has all that it ends in."""
    open_storage.cache_clear()
    stored = load_study(study_name="mine", storage=open_storage(journal_url(folder), 10)).user_attrs
    return stored[TOTAL], stored[REPORTED]

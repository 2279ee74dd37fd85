"""Configs that may resume a run of this version or of another."""

import dataclasses
import json
import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from small_runs import REPOSITORY, StoppedError, composed, rows, run, stop_after

import spectral.configs.root
import spectral.configs.stored
from spectral import experiment
from spectral.configs.root import ExperimentConfig
from spectral.errors import UserError
from spectral.runs import given
from spectral.runs.identity import FREE_KEYS, as_begun, check_same

Overrides = Callable[..., list[str]]

HERE = Path("run")
NOW: dict[str, Any] = {"seed": 1, "model": {"name": "fcn"}, "loss": {"name": "soft_f1", "form": "mean_of_logs"}}


def without(config: dict[str, Any], dropped: str) -> dict[str, Any]:
    """A config without one of its keys."""
    *groups, last = dropped.split(".")
    copy: dict[str, Any] = json.loads(json.dumps(config))
    node = copy
    for group in groups:
        node = node[group]
    del node[last]
    return copy


def stored_by_this_version(config: dict[str, Any]) -> dict[str, Any]:
    return spectral.configs.stored.read_stored(config)[0]


@pytest.mark.parametrize(
    "dropped", ["evaluate_batch_size", "model.widths", "optimizer", "schedule.patience_epochs", "schedule", "plots"]
)
def test_a_key_that_a_run_lacks_has_its_default(dropped: str) -> None:
    check_same(HERE, without(stored_by_this_version(NOW), dropped), stored_by_this_version(NOW), is_finished=False)


@pytest.mark.parametrize(
    ("stored", "key"),
    [
        ({}, "schedule.ema_decay=None"),
        ({"schedule": {"stages": [{"name": "train"}]}}, "schedule.ema_decay=None"),
    ],
)
def test_another_value_of_a_key_that_a_run_lacks_is_refused(stored: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError, match=rf"holds a run with {key}, this command has schedule\.ema_decay=0\.9"):
        check_same(HERE, NOW | stored, NOW | {"schedule": {"ema_decay": 0.9}}, is_finished=False)


def test_a_stage_of_an_earlier_version_has_the_defaults_of_missing_keys() -> None:
    """A part given by name is the same as one with its options written out."""
    old = {"schedule": {"stages": [{"name": "a", "loss": {"name": "soft_f1", "form": "mean_log"}}]}}
    new = {
        "schedule": {"stages": [{"name": "a", "start": "last", "loss": {"name": "soft_f1", "form": "mean_of_logs"}}]}
    }
    check_same(HERE, old, new, is_finished=False)
    by_name = {"schedule": {"stages": [{"name": "a", "loss": "soft_f1"}]}}
    written = {"schedule": {"stages": [{"name": "a", "loss": {"name": "soft_f1", "form": "log_of_mean"}}]}}
    check_same(HERE, by_name, written, is_finished=False)
    with pytest.raises(UserError, match=r"log_of_mean.*, this command has .*mean_of_logs"):
        check_same(HERE, by_name, new, is_finished=False)


@pytest.mark.parametrize("old", ["mean_log", "mean_of_logs"])
def test_a_renamed_value_is_the_same_under_both_names(old: str) -> None:
    check_same(HERE, NOW | {"loss": {"name": "soft_f1", "form": old}}, NOW, is_finished=False)


def test_a_value_that_differs_from_a_renamed_one_is_refused_with_the_new_name() -> None:
    with pytest.raises(UserError, match=r"loss\.form=log_of_mean, this command has loss\.form=mean_of_logs"):
        check_same(HERE, NOW | {"loss": {"name": "soft_f1", "form": "log_mean"}}, NOW, is_finished=False)


@pytest.mark.parametrize("key", ["foo", "model.foo", "schedule.foo"])
def test_an_unknown_option_is_ignored_if_it_did_nothing_or_the_run_is_finished(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    def stored(value: Any) -> dict[str, Any]:
        group, _, name = key.rpartition(".")
        config = stored_by_this_version(NOW)
        (config[group] if group else config)[name] = value
        return config

    for value, is_finished in ((None, False), (False, False), (3, True)):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            check_same(HERE, stored(value), NOW, is_finished)
        assert f"run_dir=run holds a run with {key}={value}, which this version does not know" in caplog.text
    with pytest.raises(UserError, match=rf"with {key}=3, which this version does not know: resume it with the version"):
        check_same(HERE, stored(3), NOW, is_finished=False)


@pytest.mark.parametrize(
    ("option", "path", "does_nothing"),
    [
        ({"ivar_key": "ivar"}, "a.csv", True),
        ({"channels_last": True}, "A.TSV", True),
        ({"header": True}, "a.fits.gz", True),
        ({"ivar_key": "ivar"}, "a.npz", False),
        ({"header": True}, "a.csv", False),
    ],
)
def test_an_option_that_the_file_of_a_run_had_no_use_for_is_not_read(
    option: dict[str, Any], path: str, does_nothing: bool
) -> None:
    """Earlier versions took it; today it is refused, so that a command cannot give it."""
    now = NOW | {"data": {"name": "arrays", "path": path}}
    stored = now | {"data": now["data"] | option}
    (key,) = option
    assert stored_by_this_version(stored)["data"][key] == (None if does_nothing else option[key])
    with nullcontext() if does_nothing else pytest.raises(UserError, match=rf"holds a run with data\.{key}="):
        check_same(HERE, stored, now, is_finished=False)


def test_ivar_and_mask_of_parquet_are_not_read_of_a_run_of_0_1() -> None:
    """It took their keys and ignored them."""
    now = NOW | {"inputs": {}, "data": {"name": "arrays", "path": "a.parquet"}}
    stored = now | {"data": now["data"] | {"ivar_key": "ivar", "mask_key": "bad"}}
    check_same(HERE, without(stored, "inputs"), without(now, "inputs"), is_finished=False)
    assert stored_by_this_version(stored)["data"]["ivar_key"] == "ivar"


def test_how_a_run_is_computed_is_not_part_of_its_identity() -> None:
    new = {
        "device": "cuda:1",
        "precision": "bfloat16",
        "layout": "contiguous",
        "compile": "always",
        "num_threads": 8,
        "kernel": "torch",
    }
    new |= {"evaluate_batch_size": 8, "tracker": {"name": "mlflow"}, "plots": False, "cache_dir": "x", "run_dir": "y"}
    new |= {"data": {"name": "arrays", "path": "a.npz", "num_workers": 3, "rows_per_part": 7}, "score_test": False}
    check_same(HERE, NOW | {"data": {"name": "arrays", "path": "a.npz"}}, NOW | new, is_finished=False)


def test_a_study_and_a_run_leave_the_same_keys_free() -> None:
    """Except for the keys that a sweep itself gives to its jobs."""
    of_studies = set(OmegaConf.load(REPOSITORY / "conf" / "sweep" / "default.yaml").free_keys)
    assert of_studies == set(FREE_KEYS) - {"run_dir", "score_test", "sweep"}


def test_a_run_that_began_with_a_former_default_keeps_it(caplog: pytest.LogCaptureFixture) -> None:
    began = stored_by_this_version(NOW | {"lr_schedule": {"name": "plateau", "patience_epochs": 10}})
    today = stored_by_this_version(NOW | {"lr_schedule": "plateau"})
    with caplog.at_level(logging.INFO):
        begun = as_begun(HERE, began, today, chosen=["lr_schedule"])
    check_same(HERE, began, begun, is_finished=False)
    assert "has lr_schedule.patience_epochs=10, once the default: it continues with that" in caplog.text
    named = as_begun(HERE, began, today, chosen=["lr_schedule.patience_epochs"])
    with pytest.raises(UserError, match=r"lr_schedule\.patience_epochs=10, this command has .*=2"):
        check_same(HERE, began, named, is_finished=False)


@pytest.mark.parametrize(
    ("stage", "key", "of_0_1", "default"),
    [
        ({"lr_schedule": "plateau"}, "lr_schedule.patience_epochs", 10, 2),
        ({"lr_schedule": {"name": "plateau", "factor": 0.3}}, "lr_schedule.patience_epochs", 10, 2),
        ({"lr_schedule": "cosine", "lr": 0.001}, "lr_schedule.warmup_fraction", 0.0, 0.05),
        ({"optimizer": "sgd"}, "optimizer.lr", 0.1, 0.01),
        ({"optimizer": {"name": "adam", "eps": 1e-8}}, "optimizer.lr", 0.003, 0.005),
    ],
)
def test_a_stage_of_0_1_keeps_the_former_defaults_too(
    stage: dict[str, Any], key: str, of_0_1: float, default: float, caplog: pytest.LogCaptureFixture
) -> None:
    stages = {"schedule": {"stages": [{"name": "train"}, {"name": "settle", **stage}]}}
    today = stored_by_this_version(NOW) | stages
    group, option = key.split(".")

    def resumed(began: dict[str, Any]) -> float:
        begun = as_begun(HERE, began, today, chosen=[])
        check_same(HERE, began, begun, is_finished=False)
        return float(stored_by_this_version(begun)["schedule"]["stages"][1][group][option])

    assert resumed(NOW | stages) == of_0_1  # without `inputs`, which 0.1 did not have
    assert f"run has schedule.stages.1.{key}={of_0_1}, once the default: it continues with that" in caplog.text
    caplog.clear()
    assert resumed(today) == default and not caplog.text


@pytest.mark.parametrize("stage", [{"optimizer": "sgd", "lr": 0.05}, {"optimizer": {"name": "sgd", "lr": 0.05}}])
def test_a_stage_of_0_1_with_a_rate_of_its_own_has_no_default_to_keep(
    stage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    stages = {"schedule": {"stages": [{"name": "train", **stage}]}}
    today = stored_by_this_version(NOW) | stages
    check_same(HERE, NOW | stages, as_begun(HERE, NOW | stages, today, chosen=[]), is_finished=False)
    assert not caplog.text


@dataclasses.dataclass
class LaterConfig(ExperimentConfig):
    """The config of a later version, which has a key more."""

    added: int = 5


def test_a_version_with_more_keys_resumes_a_run(
    small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StoppedError):
        run(small(), stop_after(1))
    for module in (spectral.configs.root, spectral.configs.stored):
        monkeypatch.setattr(module, "ExperimentConfig", LaterConfig)
    later = OmegaConf.to_container(composed(small()), resolve=True)
    assert isinstance(later, dict)
    with monkeypatch.context() as named:
        named.setattr(given, "chosen_keys", lambda: ["added"])
        with pytest.raises(UserError, match="holds a run with added=5, this command has added=6"):
            experiment.run(OmegaConf.create(later | {"added": 6}))
    # Another value that the later version's yaml has, and not the command, is not that of the run.
    with caplog.at_level(logging.INFO):
        experiment.run(OmegaConf.create(later | {"added": 6}))
    assert "began before there was added: it continues with added=5" in caplog.text
    assert [row["epoch"] for row in rows(tmp_path / "run")] == [1, 2, 3]

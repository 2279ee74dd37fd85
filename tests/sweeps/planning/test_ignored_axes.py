"""Keys of a search that change nothing in any of its configurations."""

import logging

import pytest
from small_runs import composed

from spectral.configs.root import typed
from sweeps.planning.ignored_axes import ignored_axis
from sweeps.space import Space


def ignored(common: list[str], axes: dict[str, list[object]], *configurations: list[str]) -> str:
    """As a sweep over these axes, of which these configurations were checked."""
    checked = [([*common, *one], typed(composed([*common, *one, "run_dir=never"]))) for one in configurations]
    return ignored_axis(Space.read(axes, common), checked)


def test_an_axis_that_every_stage_replaces_is_named() -> None:
    found = ignored(["schedule=reference"], {"loss": ["focal", "soft_f1"]}, ["loss=focal"], ["loss=soft_f1"])
    assert found.startswith("loss cannot be searched, since it does nothing here: each stage has")


def test_an_axis_that_counts_in_some_configurations_is_searched(caplog: pytest.LogCaptureFixture) -> None:
    axes = {"schedule": ["default", "reference"], "optimizer.lr": [1e-3, 1e-4]}
    found = ignored([], axes, ["schedule=reference", "optimizer.lr=1e-3"], ["schedule=default", "optimizer.lr=1e-4"])
    assert not found and not caplog.records


def test_a_key_of_all_jobs_that_does_nothing_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    assert not ignored(
        ["schedule=reference", "loss=focal"], {"model.width": [4, 8]}, ["model.width=4"], ["model.width=8"]
    )
    (record,) = caplog.records
    assert record.getMessage().startswith("loss=focal does nothing: each stage has its own, the first schedule.")


def test_what_does_nothing_in_all_configurations_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    axes = {"model.width": [4, 8], "loss.form": ["log_of_mean", "mean_of_logs"]}
    common = ["distill_weight=0.8", "loss=soft_f1", "loss.eps=1e-3"]  # eps counts with one of the forms
    first, second = ["model.width=4", "loss.form=log_of_mean"], ["model.width=8", "loss.form=mean_of_logs"]
    assert not ignored(common, axes, first, second)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == ["distill_weight=0.8 does nothing: there is no teacher without distill=FOLDER."]

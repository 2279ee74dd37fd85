"""A study that started when values of its axes had other names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loop_runs import Call, Sweep, sweep

import spectral.configs.renamed
from sweeps.results.ranking import reference_of

OLD = {"loss.form": ["log_mean", "mean_log"], "x": [1, 2]}
NEW = {"loss.form": ["log_of_mean", "mean_of_logs"], "x": [1, 2]}


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sweep]:
    """Run a sweep as a version without renamed values does."""

    def run(*arguments: Any, **options: Any) -> Sweep:
        with monkeypatch.context() as patch:
            patch.setattr(spectral.configs.renamed, "VALUES", {})
            return sweep(*arguments, **options)

    return run


def x_of(call: Call) -> float:
    return float(call.values["x"])


def test_a_study_with_renamed_values_is_resumed_and_runs_each_configuration_once(
    tmp_path: Path, earlier: Callable[..., Sweep]
) -> None:
    begun = earlier(tmp_path, OLD, x_of, sampler="grid", num_trials=2, num_slots=1)
    resumed = sweep(tmp_path, NEW, x_of, sampler="grid", num_slots=1)
    assert resumed.states == ["COMPLETE"] * 4
    given = [(call.values["loss.form"], call.values["x"]) for run in (begun, resumed) for call in run.launcher.calls]
    assert given == [("log_mean", 1), ("log_mean", 2), ("mean_of_logs", 1), ("mean_of_logs", 2)]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_sampler_draws_from_a_study_with_renamed_values_as_before(
    sampler: str, tmp_path: Path, earlier: Callable[..., Sweep]
) -> None:
    options: dict[str, Any] = {"sampler": sampler, "num_trials": 3, "seed": 2}
    earlier(tmp_path / "renamed", OLD, x_of, num_slots=1, **options)
    sweep(tmp_path / "same", NEW, x_of, num_slots=1, **options)
    two = [
        sweep(tmp_path / name, NEW, x_of, num_slots=1, **{**options, "num_trials": 8}) for name in ("renamed", "same")
    ]
    drawn = [[trial.user_attrs["configuration"] for trial in ended.trials[3:]] for ended in two]
    assert drawn[0] == drawn[1]
    assert not any("mean_log" in configuration.replace("mean_of_logs", "") for configuration in drawn[0])


def test_a_configuration_enqueued_under_an_old_name_is_not_run_again(
    tmp_path: Path, earlier: Callable[..., Sweep]
) -> None:
    earlier(tmp_path, OLD, x_of, sampler="random", num_trials=1, enqueue=[{"loss.form": "mean_log", "x": 2}])
    ended = sweep(tmp_path, NEW, x_of, sampler="random", num_trials=3, enqueue=[{"loss.form": "mean_of_logs", "x": 2}])
    assert len([trial for trial in ended.trials if "known" in trial.user_attrs]) == 1


def test_a_reference_that_was_enqueued_under_an_old_name_is_found(
    tmp_path: Path, earlier: Callable[..., Sweep]
) -> None:
    earlier(tmp_path, OLD, x_of, sampler="random", num_trials=1, enqueue=[{"loss.form": "mean_log", "x": 2}])
    ended = sweep(tmp_path, NEW, x_of, sampler="random", num_trials=2, enqueue=[{"loss.form": "mean_of_logs", "x": 2}])
    reference = reference_of(ended.trials, ended.study.study.user_attrs)
    assert reference is not None and reference.number == 0


def test_the_best_run_is_scored_at_the_end_under_the_new_name(tmp_path: Path, earlier: Callable[..., Sweep]) -> None:
    space = {"loss.form": ["log_mean", "mean_log"]}
    held: dict[str, Any] = {"sampler": "grid", "search_overrides": ["score_test=false"]}

    def stopped(call: Call) -> float:
        if "score_test" not in call.values:
            raise ArithmeticError("the last run fails")
        return 1.0

    earlier(tmp_path, space, stopped, **held)
    ended = sweep(tmp_path, {"loss.form": NEW["loss.form"]}, lambda _call: 1.0, **held)
    assert [call.values["loss.form"] for call in ended.launcher.calls] == ["log_of_mean"]

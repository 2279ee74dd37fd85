"""Enqueued configurations come first, and none is run twice."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from loop_runs import WIDE, Call, Tally, square, sweep

from sweeps.space import Space


def test_enqueued_configurations_come_first_and_the_rest_is_searched(tmp_path: Path) -> None:
    ended = sweep(tmp_path, WIDE, square, num_trials=4, enqueue=[{"x": 3}, {"x": 5}], num_slots=1)
    assert [trial.params["x"] for trial in ended.trials[:2]] == [3, 5]
    assert [trial.user_attrs.get("known") for trial in ended.trials] == ['{"x":3}', '{"x":5}', None, None]


def test_a_configuration_enqueued_later_is_run(tmp_path: Path) -> None:
    sweep(tmp_path, WIDE, square, num_trials=2, enqueue=[{"x": 3}])
    ended = sweep(tmp_path, WIDE, square, num_trials=4, enqueue=[{"x": 3}, {"x": 5}])
    assert ended.trials[2].params == {"x": 5}


def test_a_configuration_enqueued_ahead_of_earlier_ones_is_run(tmp_path: Path) -> None:
    sweep(tmp_path, WIDE, square, num_trials=1, enqueue=[{"x": 3}])
    ended = sweep(tmp_path, WIDE, square, num_trials=3, enqueue=[{"x": 7}, {"x": 3}, {"x": 5}], num_slots=1)
    assert [trial.params["x"] for trial in ended.trials] == [3, 7, 5]


def test_a_configuration_enqueued_twice_is_drawn_twice(tmp_path: Path) -> None:
    space = {**WIDE, "y": {"low": 0.0, "high": 1.0}}
    ended = sweep(tmp_path, space, square, num_trials=4, enqueue=[{"x": 3}, {"x": 3}, {"x": 4}], num_slots=1)
    assert [trial.params["x"] for trial in ended.trials[:3]] == [3, 3, 4]
    assert ended.trials[0].params["y"] != ended.trials[1].params["y"]


def test_a_grid_resumed_with_reordered_axes_runs_each_combination_once(tmp_path: Path) -> None:
    space: dict[str, Any] = {"x": [1, 2, 3], "y": ["a", "b"]}
    sweep(tmp_path, space, square, sampler="grid", num_trials=3)
    ended = sweep(tmp_path, {name: space[name] for name in ("y", "x")}, square, sampler="grid")
    found = [json.loads(trial.user_attrs["configuration"]) for trial in ended.trials]
    assert sorted((values["x"], values["y"]) for values in found) == [(x, y) for x in (1, 2, 3) for y in "ab"]
    assert len(ended.launcher.calls) == 3


def test_a_grid_runs_each_combination_once_in_order(tmp_path: Path) -> None:
    space = {"x": [1, 2], "y": ["a", "b", "c"]}
    ended = sweep(tmp_path, space, square, sampler="grid")
    found = [json.loads(trial.user_attrs["configuration"]) for trial in ended.trials]
    assert found == [{"x": x, "y": y} for x in (1, 2) for y in "abc"]


def test_identical_configurations_run_once_and_are_marked(tmp_path: Path) -> None:
    ended = sweep(tmp_path, {"x": [1, 2, 3]}, square, num_trials=12, sampler="random")
    assert ended.states == ["COMPLETE"] * 12
    assert sorted(call.values["x"] for call in ended.launcher.calls) == [1, 2, 3]
    for trial in ended.trials:
        if "reused_from" in trial.user_attrs:
            original = ended.trials[trial.user_attrs["reused_from"]]
            assert original.params == trial.params and original.values == trial.values
            assert original.user_attrs["run_dir"] == trial.user_attrs["run_dir"]
    assert sum("reused_from" in trial.user_attrs for trial in ended.trials) == 9


def test_a_configuration_whose_duplicate_failed_is_run(tmp_path: Path) -> None:
    calls = Tally()

    def task(call: Call) -> float:
        time.sleep(0.2)
        if calls.add(1) == 1:
            raise ArithmeticError
        return 1.0

    ended = sweep(tmp_path, {"x": [1]}, task, num_trials=3)
    assert sorted(ended.states) == ["COMPLETE", "COMPLETE", "FAIL"]
    assert len(ended.launcher.calls) == 2


def test_an_enqueued_value_is_run_with_what_its_condition_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that an earlier version enqueued without it stays as it is, and is not run again."""
    space = {"kind": ["a", "b", "c"], "x": {"low": 0, "high": 9, "when": {"kind": "c"}}}
    options: dict[str, Any] = {"enqueue": [{"x": 3}], "num_slots": 1}
    with monkeypatch.context() as earlier:
        earlier.setattr(Space, "needed", lambda *_: {})
        begun = sweep(tmp_path / "begun", space, lambda _: 1.0, num_trials=1, **options).trials[0]
    resumed = sweep(tmp_path / "begun", space, lambda _: 1.0, num_trials=3, **options)
    assert resumed.trials[0] == begun
    assert ["known" in trial.user_attrs for trial in resumed.trials] == [True, False, False]
    new = sweep(tmp_path / "new", space, lambda _: 1.0, num_trials=1, **options)
    assert new.trials[0].params == {"kind": "c", "x": 3}

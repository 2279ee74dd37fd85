"""Trials of several seeds, and of several objectives."""

import threading
from pathlib import Path
from typing import Any

import pytest
from loop_runs import FLOATS, WIDE, Call, Tally, sweep

from sweeps.launchers.contract import WorkerLost
from sweeps.loop.own_trials import OwnTrials


def test_attempts_are_counted_per_seed(tmp_path: Path) -> None:
    lost = Tally()

    def task(call: Call) -> float:
        if call.link.number == 1 and call.link.seed_index == 1 and lost.add(1) == 1:
            raise WorkerLost("killed by SIGKILL")
        return 5.0

    ended = sweep(tmp_path, FLOATS, task, num_trials=2, seeds=3)
    assert [trial.user_attrs["attempts"] for trial in ended.trials] == [1, 2]
    assert [len(trial.user_attrs["jobs"]) for trial in ended.trials] == [3, 4]


def test_seeds_are_scored_by_their_mean_and_their_spread_is_stored(tmp_path: Path) -> None:
    ended = sweep(tmp_path, WIDE, lambda call: float(call.values["seed"]), num_trials=2, seeds=3)
    for trial in ended.trials:
        assert trial.values == [11.0] and trial.user_attrs["spread"] == [1.0]
        assert trial.user_attrs["seeds"] == [10, 11, 12]
        assert trial.user_attrs["seed_values"] == {"10": [10.0], "11": [11.0], "12": [12.0]}
    folders = {str(call.folder.relative_to(tmp_path)) for call in ended.launcher.calls}
    assert folders == {f"{trial}/seed-{k}" for trial in (0, 1) for k in range(3)}


def test_one_failed_seed_fails_its_trial_alone(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        if call.values["seed"] == 7 and call.link.number == 0:
            raise ArithmeticError("seed 7")
        return 1.0

    assert sweep(tmp_path, WIDE, task, num_trials=2, seeds=[4, 7]).states == ["FAIL", "COMPLETE"]


def test_wilcoxon_takes_seeds_as_steps_and_prunes_the_remaining_seeds_of_a_bad_trial(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        return call.values["x"] + 0.001 * call.values["seed"]

    ended = sweep(
        tmp_path,
        {"x": [0, 100]},
        task,
        sampler="grid",
        seeds=12,
        pruner="wilcoxon",
        num_slots=1,
    )
    assert ended.states == ["COMPLETE", "PRUNED"]
    assert len(ended.trials[1].intermediate_values) < 12
    assert len(ended.launcher.calls) < 24


def test_a_sweep_can_have_several_objectives(tmp_path: Path) -> None:
    ended = sweep(
        tmp_path,
        FLOATS,
        lambda call: [call.values["x"], 1 - call.values["x"]],
        num_trials=5,
        objective=["a", "b"],
        direction=["minimize", "maximize"],
    )
    assert ended.states == ["COMPLETE"] * 5
    assert all(trial.values == [trial.params["x"], 1 - trial.params["x"]] for trial in ended.trials)


@pytest.mark.parametrize("error", [ValueError("second"), WorkerLost("killed by SIGKILL")])
def test_what_is_said_of_a_trial_is_of_the_seed_that_failed_first(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, has_taken = OwnTrials.take, threading.Event()

    def noted(*given: Any) -> None:
        take(*given)
        has_taken.set()

    def task(call: Call) -> float:
        if call.link.seed_index == 0:
            raise ArithmeticError("first")
        assert has_taken.wait(10)
        raise error

    monkeypatch.setattr(OwnTrials, "take", noted)
    ended = sweep(tmp_path, WIDE, task, num_trials=1, seeds=2)
    attributes = ended.trials[0].user_attrs
    assert attributes["reason"] == "ArithmeticError: first" and "second" not in attributes["traceback"]
    assert "run again" not in ended.output

"""How a sweep treats trials that succeed, fail or never end."""

import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest
from loop_runs import FLOATS, Call, Tally, square, sweep
from optuna import TrialPruned

from spectral.errors import UserError
from sweeps.launchers.contract import JobTimeout, WorkerLost


def test_a_sweep_runs_its_total_with_one_folder_per_trial(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, square, num_trials=7)
    assert ended.states == ["COMPLETE"] * 7
    assert sorted(call.folder for call in ended.launcher.calls) == [tmp_path / str(n) for n in range(7)]
    for trial in ended.trials:
        assert trial.values == [trial.params["x"] ** 2]
        assert trial.user_attrs["overrides"] == [f"x={trial.params['x']!r}"]
        record = json.loads((tmp_path / str(trial.number) / "trial.json").read_text())
        assert record["state"] == "complete" and record["values"] == trial.values and record["attempts"] == 1


def test_the_same_command_runs_the_remaining_trials_and_a_higher_total_adds_more(tmp_path: Path) -> None:
    assert len(sweep(tmp_path, FLOATS, square, num_trials=4).launcher.calls) == 4
    assert sweep(tmp_path, FLOATS, square, num_trials=4).launcher.calls == []
    ended = sweep(tmp_path, FLOATS, square, num_trials=6)
    assert [call.folder.name for call in ended.launcher.calls] == ["4", "5"]
    assert len(ended.trials) == 6
    assert len({trial.params["x"] for trial in ended.trials}) == 6  # a resumed search draws new ones


def test_an_interrupted_search_draws_the_same_configurations(tmp_path: Path) -> None:
    whole = sweep(tmp_path / "whole", FLOATS, square, num_trials=6, num_slots=1, sampler="random")
    for num in (2, 5, 6):
        parts = sweep(tmp_path / "parts", FLOATS, square, num_trials=num, num_slots=1, sampler="random")
    assert [t.params for t in parts.trials] == [t.params for t in whole.trials]


def test_a_slow_job_holds_up_no_other(tmp_path: Path) -> None:
    """The first job ends only once all others have: in batches of two the sweep would never end."""
    others_done = threading.Event()
    ended = Tally()

    def task(call: Call) -> float:
        if call.link.number == 0:
            assert others_done.wait(300)
        elif ended.add(1) == 7:
            others_done.set()
        return 0.0

    assert sweep(tmp_path, FLOATS, task, num_trials=8).states == ["COMPLETE"] * 8


@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize(("value", "word"), [(math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite")])
def test_an_objective_that_is_not_finite_fails_its_trial_with_the_reason_and_others_continue(
    value: float, word: str, seeds: int, tmp_path: Path
) -> None:
    ended = sweep(tmp_path, FLOATS, lambda call: value if call.link.number == 1 else 1.0, num_trials=4, seeds=seeds)
    assert ended.states == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert ended.trials[1].user_attrs["reason"] == f"the objective is {word}"
    assert sweep(tmp_path, FLOATS, square, num_trials=4, seeds=seeds).launcher.calls == []


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (None, "the task returned None, but must return a number"),
        ([1.0, 2.0], "the task returned [1.0, 2.0], but must return 1 numbers"),
    ],
)
def test_a_result_that_is_not_an_objective_fails(returned: Any, reason: str, tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, lambda call: returned, num_trials=1)
    assert ended.states == ["FAIL"]
    assert ended.trials[0].user_attrs["reason"].startswith(reason)


def failing(call: Call) -> float:
    if call.link.number % 2:
        raise ArithmeticError("as asked\nsecond line")
    return 0.0


def test_an_exception_keeps_its_traceback_and_other_trials_continue(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, failing, num_trials=6)
    assert ended.states == ["COMPLETE", "FAIL"] * 3
    attributes = ended.trials[1].user_attrs
    assert attributes["reason"] == "ArithmeticError: as asked"
    assert "in failing" in attributes["traceback"] and "second line" in attributes["traceback"]
    assert json.loads((tmp_path / "1" / "trial.json").read_text())["reason"] == "ArithmeticError: as asked"
    assert "trial 1  fail" in ended.output


def test_a_mistake_of_the_user_fails_its_trial_with_one_sentence(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise UserError("data.path=no.npz is not a file.")

    ended = sweep(tmp_path, FLOATS, task, num_trials=20, num_slots=1)
    assert ended.states == ["FAIL"] * 3
    assert {trial.user_attrs["reason"] for trial in ended.trials} == {"data.path=no.npz is not a file."}


def test_too_many_failures_stop_the_sweep(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, failing, num_trials=20, max_failures=2, num_slots=1)
    assert ended.loop.too_many_failures
    assert ended.states == ["COMPLETE", "FAIL", "COMPLETE", "FAIL"]
    # The failures of an earlier command do not count again.
    assert sweep(tmp_path, FLOATS, failing, num_trials=6, max_failures=2).states.count("FAIL") == 3


@pytest.mark.parametrize(("num_slots", "num_failed"), [(1, 3), (2, 4)])
def test_a_sweep_whose_trials_all_fail_stops_early_and_can_resume(
    num_slots: int, num_failed: int, tmp_path: Path
) -> None:
    def task(call: Call) -> float:
        raise ArithmeticError("as asked")

    ended = sweep(tmp_path, FLOATS, task, num_trials=20, num_slots=num_slots)
    assert ended.loop.fails_always and ended.loop.last_failure == "ArithmeticError: as asked"
    # What ran meanwhile in the other slots has failed, too.
    assert num_failed <= ended.loop.num_failures < num_failed + num_slots
    assert ended.states == ["FAIL"] * ended.loop.num_failures
    again = sweep(tmp_path, FLOATS, square, num_trials=20, num_slots=num_slots)
    assert again.states.count("COMPLETE") == 20 - ended.loop.num_failures


def test_a_trial_that_does_not_fail_lets_the_others_continue(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        if call.link.number == 0:
            raise TrialPruned
        raise ArithmeticError

    assert sweep(tmp_path, FLOATS, task, num_trials=9, num_slots=1).states == ["PRUNED"] + ["FAIL"] * 8


def test_a_given_number_of_failures_replaces_the_default_limits(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, lambda call: math.nan, num_trials=9, num_slots=1, max_failures=7)
    assert ended.states == ["FAIL"] * 7 and not ended.loop.fails_always


def test_a_pruned_job_is_reported_as_pruned(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise TrialPruned("at step 3 by asha")

    ended = sweep(tmp_path, FLOATS, task, num_trials=2)
    assert ended.states == ["PRUNED", "PRUNED"]
    assert ended.trials[0].user_attrs["reason"] == "pruned at step 3 by asha"


def test_a_lost_worker_is_retried_in_its_folder_a_limited_number_of_times(tmp_path: Path) -> None:
    lost = Tally()

    def task(call: Call) -> float:
        # Trial 0 loses two workers and then ends; trial 1 loses every one.
        if call.link.number == 1 or (call.link.number == 0 and lost.add(1) <= 2):
            raise WorkerLost("killed by SIGKILL")
        return 5.0

    ended = sweep(tmp_path, FLOATS, task, num_trials=3, max_retries=2)
    assert ended.states == ["COMPLETE", "FAIL", "COMPLETE"]
    assert [trial.user_attrs["attempts"] for trial in ended.trials] == [3, 3, 1]
    reason = "the worker was lost 3 times, the last: killed by SIGKILL; sweep.max_retries=2"
    assert ended.trials[1].user_attrs["reason"] == reason
    assert {call.folder.name for call in ended.launcher.calls} == {"0", "1", "2"}


def test_a_time_limit_is_not_retried(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise JobTimeout("took longer than 1 s")

    ended = sweep(tmp_path, FLOATS, task, num_trials=1)
    assert ended.states == ["FAIL"] and len(ended.launcher.calls) == 1


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes", "random", "qmc", "nsga2"])
def test_every_sampler_runs_a_search(sampler: str, tmp_path: Path) -> None:
    space = {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}}
    ended = sweep(tmp_path, space, square, num_trials=4, sampler=sampler)
    assert ended.states == ["COMPLETE"] * 4
    assert len({trial.params["x"] for trial in ended.trials}) == 4


def test_a_folder_left_by_another_study_is_not_reused(tmp_path: Path) -> None:
    sweep(tmp_path, FLOATS, square, num_trials=2)
    (tmp_path / "study.journal").unlink()
    from sweeps.storage.connect import open_storage

    open_storage.cache_clear()
    ended = sweep(tmp_path, FLOATS, square, num_trials=2)
    assert {trial.user_attrs["run_dir"] for trial in ended.trials} == {str(tmp_path / "0-2"), str(tmp_path / "1-2")}


def test_a_job_that_cannot_start_fails(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise ImportError("no such module")

    ended = sweep(tmp_path, FLOATS, task, num_trials=2)
    assert ended.states == ["FAIL"] * 2 and ended.loop.num_failures == 2
    assert ended.trials[0].user_attrs["reason"] == "ImportError: no such module"

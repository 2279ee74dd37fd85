"""What a sweep does with trials that end well, badly or not at all."""

import json
import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from loop_runs import Call, Tally, open_study, sweep
from optuna import TrialPruned
from optuna.trial import TrialState

from spectral.errors import UserError
from sweeps.constraints import check_known
from sweeps.launchers.contract import JobTimeout, WorkerLost
from sweeps.ranking import ranked
from sweeps.space import read_constraints

WIDE = {"x": {"low": 0, "high": 10_000}}
FLOATS = {"x": {"low": 0.0, "high": 1.0}}


def square(call: Call) -> float:
    return float(call.values["x"]) ** 2


def test_it_runs_the_total_each_in_its_own_folder(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, square, num_trials=7)
    assert ended.states == ["COMPLETE"] * 7
    assert sorted(call.folder for call in ended.launcher.calls) == [tmp_path / str(n) for n in range(7)]
    for trial in ended.trials:
        assert trial.values == [trial.params["x"] ** 2]
        assert trial.user_attrs["overrides"] == [f"x={trial.params['x']!r}"]
        told = json.loads((tmp_path / str(trial.number) / "trial.json").read_text())
        assert told["state"] == "complete" and told["values"] == trial.values and told["attempts"] == 1


def test_the_same_command_runs_what_is_left_and_a_higher_total_adds(tmp_path: Path) -> None:
    assert len(sweep(tmp_path, FLOATS, square, num_trials=4).launcher.calls) == 4
    assert sweep(tmp_path, FLOATS, square, num_trials=4).launcher.calls == []
    ended = sweep(tmp_path, FLOATS, square, num_trials=6)
    assert [call.folder.name for call in ended.launcher.calls] == ["4", "5"]
    assert len(ended.trials) == 6
    assert len({trial.params["x"] for trial in ended.trials}) == 6  # a search gone on with draws on


def test_a_search_stopped_in_between_draws_what_it_would_have_drawn(tmp_path: Path) -> None:
    whole = sweep(tmp_path / "whole", FLOATS, square, num_trials=6, num_slots=1, sampler="random")
    for num in (2, 5, 6):
        parts = sweep(tmp_path / "parts", FLOATS, square, num_trials=num, num_slots=1, sampler="random")
    assert [t.params for t in parts.trials] == [t.params for t in whole.trials]


def test_a_slow_job_holds_up_no_other(tmp_path: Path) -> None:
    """The first job ends only once all others have: in batches of two the sweep would stand still."""
    others_done = threading.Event()
    ended = Tally()

    def task(call: Call) -> float:
        if call.link.number == 0:
            assert others_done.wait(60)
        elif ended.add(1) == 7:
            others_done.set()
        return 0.0

    assert sweep(tmp_path, FLOATS, task, num_trials=8).states == ["COMPLETE"] * 8


@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize(("value", "word"), [(math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite")])
def test_an_objective_that_is_not_finite_fails_with_its_reason_and_others_go_on(
    value: float, word: str, seeds: int, tmp_path: Path
) -> None:
    ended = sweep(tmp_path, FLOATS, lambda call: value if call.link.number == 1 else 1.0, num_trials=4, seeds=seeds)
    assert ended.states == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert ended.trials[1].user_attrs["reason"] == f"the objective is {word}"
    assert sweep(tmp_path, FLOATS, square, num_trials=4, seeds=seeds).launcher.calls == []


@pytest.mark.parametrize(
    ("returned", "reason"),
    [(None, "the task returned None, a number is needed"), ([1.0, 2.0], "the task returned [1.0, 2.0], 1 numbers")],
)
def test_what_is_no_objective_fails(returned: Any, reason: str, tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, lambda call: returned, num_trials=1)
    assert ended.states == ["FAIL"]
    assert ended.trials[0].user_attrs["reason"].startswith(reason)


def failing(call: Call) -> float:
    if call.link.number % 2:
        raise ArithmeticError("as told\nsecond line")
    return 0.0


def test_an_exception_keeps_its_traceback_and_others_go_on(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, failing, num_trials=6)
    assert ended.states == ["COMPLETE", "FAIL"] * 3
    known = ended.trials[1].user_attrs
    assert known["reason"] == "ArithmeticError: as told"
    assert "in failing" in known["traceback"] and "second line" in known["traceback"]
    assert json.loads((tmp_path / "1" / "trial.json").read_text())["reason"] == "ArithmeticError: as told"
    assert "trial 1  fail" in ended.output


def test_a_mistake_of_the_users_fails_its_trial_with_its_sentence_alone(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise UserError("data.path=no.npz is not a file.")

    ended = sweep(tmp_path, FLOATS, task, num_trials=20, num_slots=1)
    assert ended.states == ["FAIL"] * 3
    assert {trial.user_attrs["reason"] for trial in ended.trials} == {"data.path=no.npz is not a file."}


def test_too_many_failures_stop_it(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, failing, num_trials=20, max_failures=2, num_slots=1)
    assert ended.loop.too_many_failures
    assert ended.states == ["COMPLETE", "FAIL", "COMPLETE", "FAIL"]
    # The failures of an earlier command do not count again.
    assert sweep(tmp_path, FLOATS, failing, num_trials=6, max_failures=2).states.count("FAIL") == 3


@pytest.mark.parametrize(("num_slots", "num_failed"), [(1, 3), (2, 4)])
def test_a_sweep_whose_trials_all_fail_stops_early_and_can_go_on(
    num_slots: int, num_failed: int, tmp_path: Path
) -> None:
    def task(call: Call) -> float:
        raise ArithmeticError("as told")

    ended = sweep(tmp_path, FLOATS, task, num_trials=20, num_slots=num_slots)
    assert ended.loop.fails_always and ended.loop.last_failure == "ArithmeticError: as told"
    # What ran meanwhile in the other slots has failed, too.
    assert num_failed <= ended.loop.num_failures < num_failed + num_slots
    assert ended.states == ["FAIL"] * ended.loop.num_failures
    again = sweep(tmp_path, FLOATS, square, num_trials=20, num_slots=num_slots)
    assert again.states.count("COMPLETE") == 20 - ended.loop.num_failures


def test_a_trial_that_does_not_fail_keeps_the_others_going(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        if call.link.number == 0:
            raise TrialPruned
        raise ArithmeticError

    assert sweep(tmp_path, FLOATS, task, num_trials=9, num_slots=1).states == ["PRUNED"] + ["FAIL"] * 8


def test_a_number_of_failures_that_is_given_holds_alone(tmp_path: Path) -> None:
    ended = sweep(tmp_path, FLOATS, lambda call: math.nan, num_trials=9, num_slots=1, max_failures=7)
    assert ended.states == ["FAIL"] * 7 and not ended.loop.fails_always


def test_a_pruned_job_is_told_as_pruned(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise TrialPruned("at step 3 by asha")

    ended = sweep(tmp_path, FLOATS, task, num_trials=2)
    assert ended.states == ["PRUNED", "PRUNED"]
    assert ended.trials[0].user_attrs["reason"] == "pruned at step 3 by asha"


def test_a_lost_worker_is_retried_in_its_folder_within_bounds(tmp_path: Path) -> None:
    lost = Tally()

    def task(call: Call) -> float:
        # Trial 0 loses two workers and then ends; trial 1 loses every one.
        if call.link.number == 1 or (call.link.number == 0 and lost.add(1) <= 2):
            raise WorkerLost("killed by SIGKILL")
        return 5.0

    ended = sweep(tmp_path, FLOATS, task, num_trials=3, max_retries=2)
    assert ended.states == ["COMPLETE", "FAIL", "COMPLETE"]
    assert [trial.user_attrs["attempts"] for trial in ended.trials] == [3, 3, 1]
    assert ended.trials[1].user_attrs["reason"] == "killed by SIGKILL"
    assert {call.folder.name for call in ended.launcher.calls} == {"0", "1", "2"}


def test_of_several_seeds_the_attempts_are_those_of_one(tmp_path: Path) -> None:
    lost = Tally()

    def task(call: Call) -> float:
        if call.link.number == 1 and call.link.seed_index == 1 and lost.add(1) == 1:
            raise WorkerLost("killed by SIGKILL")
        return 5.0

    ended = sweep(tmp_path, FLOATS, task, num_trials=2, seeds=3)
    assert [trial.user_attrs["attempts"] for trial in ended.trials] == [1, 2]
    assert [len(trial.user_attrs["jobs"]) for trial in ended.trials] == [3, 4]


def test_a_time_limit_is_not_retried(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise JobTimeout("took longer than 1 s")

    ended = sweep(tmp_path, FLOATS, task, num_trials=1)
    assert ended.states == ["FAIL"] and len(ended.launcher.calls) == 1


class Rival:
    """Another controller, which takes the trial of the first job over while it runs, and ends it."""

    def __init__(self, folder: Path, space: dict[str, Any], **options: Any) -> None:
        self.folder, self.space, self.options, self.has_taken = folder, space, options, False

    def take(self, call: Call) -> bool:
        """Whether it does so now."""
        if self.has_taken:
            return False
        study = open_study(self.folder, self.space, **self.options)
        study.storage.set_trial_state_values(call.link.trial_id, TrialState.WAITING)
        trial = study.claim()
        assert trial is not None and trial.number == call.link.number
        study.configure(trial)
        study.note(trial, run_dir=str(call.folder), overrides=[])
        study.report(trial, dict.fromkeys(range(5), 1000.0))  # of each seed; smaller ones are not pruned
        study.finish(trial, TrialState.COMPLETE, [100.0])
        study.close()
        self.has_taken = True
        return True


@pytest.mark.parametrize("is_lost", [False, True], ids=["a result", "a lost worker"])
@pytest.mark.parametrize(
    "options", [{}, {"seeds": 2}, {"seeds": 5, "pruner": "wilcoxon"}, {"constraints": {"x": {"at_most": 0.5}}}], ids=str
)
def test_a_trial_that_another_controller_has_ended_is_dropped_and_others_go_on(
    options: dict[str, Any], is_lost: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rival = Rival(tmp_path, FLOATS, num_trials=2, **options)

    def task(call: Call) -> float:
        if rival.take(call) and is_lost:
            raise WorkerLost("killed")
        return with_result(call)

    ended = sweep(tmp_path, FLOATS, task, num_trials=2, num_slots=1, **options)
    assert ended.states == ["COMPLETE"] * 2
    assert "Trial 0 was taken over by another controller: its result is left out." in caplog.text
    assert ended.trials[0].values == [100.0]
    assert [call.link.number for call in ended.launcher.calls].count(0) == 1
    num_seeds = options.get("seeds", 1)
    assert len(ended.launcher.calls) == 1 + num_seeds
    assert len({trial.user_attrs["owner"] for trial in ended.trials}) == 2


def test_known_configurations_come_first_and_the_rest_is_searched(tmp_path: Path) -> None:
    ended = sweep(tmp_path, WIDE, square, num_trials=4, enqueue=[{"x": 3}, {"x": 5}], num_slots=1)
    assert [trial.params["x"] for trial in ended.trials[:2]] == [3, 5]
    assert [trial.user_attrs.get("known") for trial in ended.trials] == ['{"x":3}', '{"x":5}', None, None]


def test_a_configuration_known_later_is_run_too(tmp_path: Path) -> None:
    sweep(tmp_path, WIDE, square, num_trials=2, enqueue=[{"x": 3}])
    ended = sweep(tmp_path, WIDE, square, num_trials=4, enqueue=[{"x": 3}, {"x": 5}])
    assert ended.trials[2].params == {"x": 5}


def test_a_configuration_put_in_front_of_known_ones_is_run_too(tmp_path: Path) -> None:
    sweep(tmp_path, WIDE, square, num_trials=1, enqueue=[{"x": 3}])
    ended = sweep(tmp_path, WIDE, square, num_trials=3, enqueue=[{"x": 7}, {"x": 3}, {"x": 5}], num_slots=1)
    assert [trial.params["x"] for trial in ended.trials] == [3, 7, 5]


def test_what_is_enqueued_twice_is_drawn_twice(tmp_path: Path) -> None:
    space = {**WIDE, "y": {"low": 0.0, "high": 1.0}}
    ended = sweep(tmp_path, space, square, num_trials=4, enqueue=[{"x": 3}, {"x": 3}, {"x": 4}], num_slots=1)
    assert [trial.params["x"] for trial in ended.trials[:3]] == [3, 3, 4]
    assert ended.trials[0].params["y"] != ended.trials[1].params["y"]


def test_a_grid_gone_on_with_in_another_order_of_its_axes_runs_each_combination_once(tmp_path: Path) -> None:
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
            twin = ended.trials[trial.user_attrs["reused_from"]]
            assert twin.params == trial.params and twin.values == trial.values
            assert twin.user_attrs["run_dir"] == trial.user_attrs["run_dir"]
    assert sum("reused_from" in trial.user_attrs for trial in ended.trials) == 9


def test_a_configuration_whose_twin_failed_is_run_itself(tmp_path: Path) -> None:
    calls = Tally()

    def task(call: Call) -> float:
        time.sleep(0.2)
        if calls.add(1) == 1:
            raise ArithmeticError
        return 1.0

    ended = sweep(tmp_path, {"x": [1]}, task, num_trials=3)
    assert sorted(ended.states) == ["COMPLETE", "COMPLETE", "FAIL"]
    assert len(ended.launcher.calls) == 2


def test_seeds_are_judged_by_their_mean_with_the_spread_kept(tmp_path: Path) -> None:
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


def test_wilcoxon_sees_seeds_as_steps_and_spares_the_rest_of_a_bad_one(tmp_path: Path) -> None:
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


def test_several_objectives(tmp_path: Path) -> None:
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


def with_result(call: Call) -> float:
    (call.folder / "result.json").write_text(json.dumps({"num_parameters": call.values["x"], "x": call.values["x"]}))
    return float(call.values["x"])


def test_a_configuration_outside_the_constraints_is_never_the_best(tmp_path: Path) -> None:
    ended = sweep(
        tmp_path,
        {"x": [1, 5, 9]},
        with_result,
        sampler="grid",
        direction="maximize",
        constraints={"num_parameters": {"at_most": 5}},
    )
    assert ended.states == ["COMPLETE"] * 3
    assert [trial.constraints for trial in ended.trials] == [{"num_parameters": v} for v in (-4, 0, 4)]
    assert ended.study.study.best_trial.params == {"x": 5}
    assert ended.trials[2].user_attrs["reason"] == "outside the constraint on num_parameters: 9, at most 5"
    assert "best 5.0000 in trial 1" in ended.output.splitlines()[-1]


def test_cmaes_takes_constraints_without_a_warning(tmp_path: Path) -> None:
    options = {"sampler": "cmaes", "constraints": {"x": {"at_most": 0.5}}}
    assert sweep(tmp_path, FLOATS, with_result, num_trials=4, **options).states == ["COMPLETE"] * 4


@pytest.mark.parametrize(("seeds", "objective"), [(1, "score"), (2, "score"), (1, ["score", "size"])])
def test_a_configuration_known_to_be_outside_ends_at_once(seeds: int, objective: Any, tmp_path: Path) -> None:
    def task(call: Call) -> Any:
        check_known(read_constraints(call.link.constraints), {"num_parameters": call.values["x"]})
        with_result(call)
        return [1.0] * len(objective) if isinstance(objective, list) else 1.0

    options = {"constraints": {"num_parameters": {"at_most": 5}}, "seeds": seeds, "objective": objective}
    options["direction"] = "maximize"
    space = {"x": [1, 5, 9, 7]}
    ended = sweep(tmp_path, space, task, sampler="grid", num_slots=1, **options)
    assert ended.states == ["COMPLETE", "COMPLETE", "PRUNED", "PRUNED"]
    assert [trial.constraints["num_parameters"] for trial in ended.trials] == [-4, 0, 4, 2]
    assert ended.trials[2].user_attrs["reason"] == "outside the constraint on num_parameters: 9, at most 5"
    assert ended.loop.num_failures == 0
    assert {trial.number for trial in ranked(ended.trials, ended.study.study.directions)} == {0, 1}
    assert not (tmp_path / "2" / "result.json").exists()
    # The study is whole: nothing is left to the same command.
    assert sweep(tmp_path, space, task, sampler="grid", **options).launcher.calls == []


def test_tpe_learns_as_much_from_what_was_never_run_as_from_what_was(tmp_path: Path) -> None:
    """It draws the same, and inside more often than the one time in ten of chance."""

    def judged_after(call: Call) -> float:
        (call.folder / "result.json").write_text(json.dumps({"size": call.values["x"]}))
        return 1.0

    def judged_before(call: Call) -> float:
        check_known(read_constraints(call.link.constraints), {"size": call.values["x"]})
        return judged_after(call)

    options = {"num_trials": 40, "num_slots": 1, "constraints": {"size": {"at_most": 0.1}}}
    before = sweep(tmp_path / "before", FLOATS, judged_before, **options)
    after = sweep(tmp_path / "after", FLOATS, judged_after, **options)
    assert [trial.params for trial in before.trials] == [trial.params for trial in after.trials]
    assert [trial.constraints for trial in before.trials] == [trial.constraints for trial in after.trials]
    assert before.states.count("PRUNED") > 0 and after.states.count("PRUNED") == 0
    assert sum(state == "PRUNED" for state in before.states[20:]) < 16


def test_a_constraint_on_what_no_run_reports_fails_plainly(tmp_path: Path) -> None:
    ended = sweep(tmp_path, {"x": [1]}, with_result, sampler="grid", constraints={"nope": {"at_most": 5}})
    assert ended.trials[0].user_attrs["reason"] == "sweep.constraints.nope is not a number of result.json"


@pytest.mark.parametrize(
    ("space", "options", "said"),
    [
        ({"x": {"low": 0.0, "high": 2.0}}, {}, "x: high was 1.0 and is 2.0"),
        ({"x": {"low": 0.0, "high": 1.0}, "y": [1, 2]}, {}, "y is new"),
        (FLOATS, {"direction": "maximize"}, "it was to minimize, now to maximize"),
        (FLOATS, {"objective": "loss"}, "objectives were score, now loss"),
        (FLOATS, {"seeds": 3}, "sweep.seeds was [10,11], now [10,11,12]"),
        (FLOATS, {"seeds": 1}, "sweep.seeds was [10,11], now 1"),
        (FLOATS, {"seeds": [10, 11], "seed_key": "model.seed"}, "sweep.seed_key was seed, now model.seed"),
        (FLOATS, {"search_overrides": []}, "sweep.search_overrides was ['score_test=false'], now []"),
        (FLOATS, {"constraints": {"x": {"at_most": 3}}}, "sweep.constraints: x: at_most was 2.0 and is 3.0"),
        (FLOATS, {"constraints": {}}, "sweep.constraints: x is gone"),
    ],
)
def test_another_search_under_the_same_name_is_refused(
    space: dict[str, Any], options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    begun = {"seeds": 2, "search_overrides": ["score_test=false"], "constraints": {"x": {"at_most": 2}}}
    num_runs = len(sweep(tmp_path, FLOATS, with_result, num_trials=1, **begun).launcher.calls)
    assert num_runs == 4  # each seed, with the test split once more
    with pytest.raises(UserError, match="the study study was begun with something else") as raised:
        sweep(tmp_path, space, with_result, num_trials=2, **{**begun, **options})
    assert said in str(raised.value)
    assert sweep(tmp_path, FLOATS, with_result, num_trials=1, **begun).launcher.calls == []


def test_how_a_study_is_searched_may_change(tmp_path: Path) -> None:
    """And what is the same, said in another way."""
    free = {"free_keys": ["device"], "search_overrides": ["score_test=false", "device=cpu"]}
    sweep(tmp_path, FLOATS, with_result, num_trials=1, seeds=2, constraints={"x": {"at_most": 2}}, **free)
    ended = sweep(
        tmp_path,
        FLOATS,
        with_result,
        num_trials=3,
        seeds=[10, 11],
        constraints={"x": {"at_most": 2.0}},
        enqueue=[{"x": 0.5}],
        sampler="random",
        pruner="median",
        seed=5,
        free_keys=["device"],
        search_overrides=["score_test=false"],
    )
    assert len(ended.trials) == 3 and ended.trials[1].params == {"x": 0.5}


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes", "random", "qmc", "nsga2"])
def test_every_sampler_searches(sampler: str, tmp_path: Path) -> None:
    space = {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}}
    ended = sweep(tmp_path, space, square, num_trials=4, sampler=sampler)
    assert ended.states == ["COMPLETE"] * 4
    assert len({trial.params["x"] for trial in ended.trials}) == 4


def test_a_folder_that_another_study_left_is_not_used_again(tmp_path: Path) -> None:
    sweep(tmp_path, FLOATS, square, num_trials=2)
    (tmp_path / "study.journal").unlink()
    from sweeps.storage import open_storage

    open_storage.cache_clear()
    ended = sweep(tmp_path, FLOATS, square, num_trials=2)
    assert {trial.user_attrs["run_dir"] for trial in ended.trials} == {str(tmp_path / "0-2"), str(tmp_path / "1-2")}


def test_a_job_that_cannot_begin_fails(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise ImportError("no such module")

    ended = sweep(tmp_path, FLOATS, task, num_trials=2)
    assert ended.states == ["FAIL"] * 2 and ended.loop.num_failures == 2
    assert ended.trials[0].user_attrs["reason"] == "ImportError: no such module"

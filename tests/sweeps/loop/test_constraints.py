"""The effect of constraints on trials, before they run and after."""

import json
from pathlib import Path
from typing import Any

import pytest
from loop_runs import FLOATS, Call, sweep, with_result

from sweeps.results.ranking import ranked
from sweeps.space import read_constraints
from sweeps.space.constraints import check_known


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
def test_a_configuration_that_violates_a_constraint_from_the_start_ends_at_once(
    seeds: int, objective: Any, tmp_path: Path
) -> None:
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
    # The study is complete: the same command has nothing to do.
    assert sweep(tmp_path, space, task, sampler="grid", **options).launcher.calls == []


def test_tpe_learns_from_a_violation_whether_or_not_it_was_run(tmp_path: Path) -> None:
    """TPE draws the same configurations, and more of them feasible than the one in ten of chance."""

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


def test_a_constraint_on_a_number_that_no_run_reports_fails_with_a_clear_error(tmp_path: Path) -> None:
    ended = sweep(tmp_path, {"x": [1]}, with_result, sampler="grid", constraints={"nope": {"at_most": 5}})
    assert (
        ended.trials[0].user_attrs["reason"]
        == "sweep.constraints.nope cannot be checked: its value absent is not a number"
    )


@pytest.mark.parametrize(
    "content", [b"[1]", b"{", b"\xff", b"[" * 100_000, None], ids=["list", "cut", "bytes", "nested", "folder"]
)
def test_a_result_that_cannot_be_read_fails_its_trial_alone(content: bytes | None, tmp_path: Path) -> None:
    def task(call: Call) -> float:
        result = call.folder / "result.json"
        if call.values["x"] != 1:
            with_result(call)
        elif content is None:
            result.mkdir()  # which raises an OSError, as a file that may not be opened
        else:
            result.write_bytes(content)
        return 1.0

    ended = sweep(tmp_path, {"x": [1, 2]}, task, sampler="grid", constraints={"num_parameters": {"at_most": 5}})
    assert ended.states == ["FAIL", "COMPLETE"]
    reason = ended.trials[0].user_attrs["reason"]
    assert reason.startswith(f"sweep.constraints need {tmp_path}/0/result.json, which cannot be read: ")

"""Failed trials are run again if the command asks for it, and each counts once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from loop_runs import Call, Sweep, open_study, sweep
from search_runs import HERE, end_of, states, trials

from spectral.cli.run import EXIT_MISTAKE
from sweeps.console.summary import summarize
from sweeps.study.attributes import REPORTED, RETRY_OF
from sweeps.study.identity import note_reported
from sweeps.study.trial_counts import standing

FLOATS = {"x": {"low": 0.0, "high": 1.0}}
THREE = {"x": [1, 2, 3]}


def fails_in(*folders: str) -> Callable[[Call], float]:
    def task(call: Call) -> float:
        if call.folder.name in folders:
            raise ArithmeticError("as asked")
        return float(call.values["x"])

    return task


def counted(ended: Sweep) -> list[tuple[int, str]]:
    return [(trial.number, trial.state.name) for trial in standing(ended.trials)]


def test_failed_trials_are_run_again_in_their_folders_and_the_total_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sweep(tmp_path, FLOATS, fails_in("1", "3"), num_trials=4, num_slots=1)
    assert first.states == ["COMPLETE", "FAIL"] * 2
    assert sweep(tmp_path, FLOATS, fails_in(), num_trials=4).launcher.calls == []
    again = sweep(tmp_path, FLOATS, fails_in("3"), num_trials=4, num_slots=1, retry_failed=True)
    assert [call.folder for call in again.launcher.calls] == [tmp_path / "1", tmp_path / "3"]
    assert [call.values for call in again.launcher.calls] == [first.launcher.calls[k].values for k in (1, 3)]
    assert counted(again) == [(0, "COMPLETE"), (2, "COMPLETE"), (4, "COMPLETE"), (5, "FAIL")]
    assert "4 of 4  1 failed" in again.output.splitlines()[-1]
    third = sweep(tmp_path, FLOATS, fails_in(), num_trials=5, num_slots=1, retry_failed=True)
    assert [call.folder.name for call in third.launcher.calls] == ["3", "7"]
    assert counted(third) == [(number, "COMPLETE") for number in (0, 2, 4, 6, 7)]
    assert [trial.user_attrs["attempts"] for trial in third.trials] == [1, 1, 1, 1, 2, 2, 3, 1]
    assert [trial.user_attrs.get(RETRY_OF) for trial in third.trials][4:] == [1, 3, 5, None]
    assert len(third.trials[6].user_attrs["jobs"]) == 3
    summarize(third.study, tmp_path)
    assert "\n5 complete\n" in capsys.readouterr().out
    assert sweep(tmp_path, FLOATS, fails_in(), num_trials=5, retry_failed=True).launcher.calls == []


def test_a_grid_with_retried_trials_has_each_combination_once(tmp_path: Path) -> None:
    sweep(tmp_path, THREE, fails_in("0", "1", "2"), sampler="grid")
    again = sweep(tmp_path, THREE, fails_in(), sampler="grid", retry_failed=True)
    assert [trial.params["x"] for trial in standing(again.trials)] == [1, 2, 3]
    assert len(again.launcher.calls) == 3 and {state for _, state in counted(again)} == {"COMPLETE"}


def test_seeds_that_succeeded_are_kept(tmp_path: Path) -> None:
    sweep(tmp_path, {"x": [1]}, fails_in("seed-1"), sampler="grid", seeds=3, num_slots=3)
    again = sweep(tmp_path, {"x": [1]}, fails_in(), sampler="grid", seeds=3, retry_failed=True)
    assert [call.folder.name for call in again.launcher.calls] == ["seed-1"]
    assert counted(again) == [(1, "COMPLETE")]


def test_reported_steps_are_kept(tmp_path: Path) -> None:
    """A job that resumes from its checkpoint does not report them again."""
    study = open_study(tmp_path, FLOATS, num_trials=1)
    trial = study.claim()
    assert trial
    study.configure(trial)
    study.report(trial, {1: 0.5})
    study.finish(trial, optuna.trial.TrialState.FAIL)
    study.close()
    again = sweep(tmp_path, FLOATS, fails_in(), num_trials=1, retry_failed=True)
    assert again.trials[1].intermediate_values == {1: 0.5} and again.trials[1].params == trial.params


@pytest.mark.parametrize(("pruner", "pruning", "kept"), [("asha", {}, 0.5), ("hyperband", {"max_steps": 9}, None)])
def test_the_rungs_of_a_pruner_are_kept_unless_they_depend_on_the_number_of_the_trial(
    pruner: str, pruning: dict[str, int], kept: float | None, tmp_path: Path
) -> None:
    """Otherwise the first value after the failure would be taken for that of the first rung."""
    options: dict[str, Any] = {"pruner": pruner, "pruning": pruning}
    study = open_study(tmp_path, FLOATS, num_trials=1, **options)
    trial = study.claim()
    assert trial
    study.configure(trial)
    study.report(trial, {9: 0.5})
    trial.should_prune()
    assert study.trials()[0].system_attrs["completed_rung_0"] == 0.5
    study.finish(trial, optuna.trial.TrialState.FAIL)
    study.close()
    again = sweep(tmp_path, FLOATS, fails_in(), num_trials=1, retry_failed=True, **options)
    assert again.trials[1].system_attrs.get("completed_rung_0") == kept


def test_a_study_without_a_successful_trial_ends_with_an_error_until_its_trials_are_run_again(tmp_path: Path) -> None:
    def ended(code: int, *overrides: str) -> str:
        axes = ("sweep.space={}", "x=1,2", "sweep.free_keys=[fault]", "fault_at=[1,2]")
        found, output = end_of(tmp_path, *axes, *overrides, script=HERE / "apps" / "command_app.py")
        assert found == code, output
        return output

    for overrides in (["fault=exception"], []):
        output = ended(EXIT_MISTAKE, *overrides)
        assert output.splitlines()[-1].startswith("error: no trial of the study ended well, the last failure is: ")
        assert "as asked for" in output and "same command again with sweep.retry_failed=true." in output
        assert states(tmp_path) == ["FAIL"] * 2
    output = ended(0, "sweep.retry_failed=true")
    assert "Failed trials that are run again: 2." in output and "\n2 complete\n" in output
    assert [Path(trial.user_attrs["run_dir"]).name for trial in trials(tmp_path)] == ["0", "1", "0", "1"]


def test_a_finished_study_is_no_longer_reported_once_its_failed_trials_run_again(tmp_path: Path) -> None:
    """Else the same command would begin another study, if this one is killed before it has written its report."""
    note_reported(sweep(tmp_path, FLOATS, fails_in("0"), num_trials=2).study.study)
    study = open_study(tmp_path, FLOATS, num_trials=2, retry_failed=True)
    assert study.study.user_attrs[REPORTED]
    study.begin_command()
    assert not study.study.user_attrs[REPORTED]
    study.close()


@pytest.mark.slow
def test_a_command_that_is_refused_enqueues_no_failed_trial(tmp_path: Path) -> None:
    """A later command would run it, without having asked for it."""
    search = ("sweep.space={}", "x=1,2", "sweep.free_keys=[fault]", "fault_at=[1]")
    app = HERE / "apps" / "command_app.py"
    assert end_of(tmp_path, *search, "fault=exception", script=app)[0] == 0
    for check in ("sweep.check_here=nope:function", "sweep.fingerprints=nope:function"):
        code, output = end_of(tmp_path, *search, "sweep.retry_failed=true", check, script=app)
        assert code == EXIT_MISTAKE and f"{check} names no function" in output
        assert states(tmp_path) == ["FAIL", "COMPLETE"]

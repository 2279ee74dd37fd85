"""A trial that another controller takes over while it runs."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from loop_runs import FLOATS, Call, ThreadLauncher, open_study, square, sweep, with_result
from optuna.trial import TrialState

from sweeps.launchers.contract import WorkerLost
from sweeps.study.attributes import OVERRIDES, OWNER, RUN_DIR, SEED_VALUES


class Rival:
    """Stand-in for another controller, which takes over the running trial of the first job and ends it."""

    def __init__(self, folder: Path, space: dict[str, Any], **options: Any) -> None:
        self.folder, self.space, self.options, self.has_taken = folder, space, options, False

    def take(self, call: Call) -> bool:
        """Take the trial over, once; returns whether it did."""
        if self.has_taken:
            return False
        study = open_study(self.folder, self.space, **self.options)
        study.storage.set_trial_state_values(call.link.trial_id, TrialState.WAITING)
        trial = study.claim()
        assert trial is not None and trial.number == call.link.number
        study.configure(trial)
        study.set_attributes(trial, {RUN_DIR: str(call.folder), OVERRIDES: []})
        study.report(trial, dict.fromkeys(range(5), 1000.0))  # of each seed; smaller ones are not pruned
        study.finish(trial, TrialState.COMPLETE, [100.0])
        study.close()
        self.has_taken = True
        return True


@pytest.mark.parametrize("is_lost", [False, True], ids=["a result", "a lost worker"])
@pytest.mark.parametrize(
    "options", [{}, {"seeds": 2}, {"seeds": 5, "pruner": "wilcoxon"}, {"constraints": {"x": {"at_most": 0.5}}}], ids=str
)
def test_a_trial_that_another_controller_has_ended_is_dropped_and_others_continue(
    options: dict[str, Any], is_lost: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rival = Rival(tmp_path, FLOATS, num_trials=2, **options)

    def task(call: Call) -> float:
        if rival.take(call) and is_lost:
            raise WorkerLost("killed")
        return with_result(call)

    ended = sweep(tmp_path, FLOATS, task, num_trials=2, num_slots=1, **options)
    assert ended.states == ["COMPLETE"] * 2
    assert "Another controller has taken over trial 0: its result here is discarded." in caplog.text
    assert ended.trials[0].values == [100.0]
    assert [call.link.number for call in ended.launcher.calls].count(0) == 1
    num_seeds = options.get("seeds", 1)
    assert len(ended.launcher.calls) == 1 + num_seeds
    assert len({trial.user_attrs["owner"] for trial in ended.trials}) == 2


def test_a_trial_of_a_dead_controller_waits_if_the_total_is_reached_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sweep(tmp_path, FLOATS, square, num_trials=1)
    study = open_study(tmp_path, FLOATS, num_trials=2)
    trial = study.claim()
    assert trial is not None
    study.set_attributes(trial, {OWNER: "dead"})
    study.close()
    ended_jobs_of: list[str] = []
    monkeypatch.setattr(ThreadLauncher, "end_jobs_of", lambda _self, name: ended_jobs_of.append(name))
    lower = sweep(tmp_path, FLOATS, square, num_trials=1)
    assert lower.states == ["COMPLETE", "WAITING"] and lower.launcher.calls == []
    assert ended_jobs_of == ["dead"]
    higher = sweep(tmp_path, FLOATS, square, num_trials=2)
    assert higher.states == ["COMPLETE"] * 2 and higher.trials[0].values == first.trials[0].values
    assert [call.link.number for call in higher.launcher.calls] == [1]


def test_a_seed_that_another_machine_has_run_is_run_again_here(tmp_path: Path) -> None:
    """Without a shared disk: the constraint is read from the results of all seeds."""
    options: dict[str, Any] = {"num_trials": 1, "seeds": 2, "constraints": {"x": {"at_most": 0.5}}}
    study = open_study(tmp_path, FLOATS, **options)
    trial = study.claim()
    assert trial is not None
    study.configure(trial)
    study.set_attributes(trial, {RUN_DIR: "/elsewhere/0", OVERRIDES: [], SEED_VALUES: {"10": [0.25]}})
    study.give_back(trial)
    study.close()
    ended = sweep(tmp_path, FLOATS, with_result, **options)
    assert ended.states == ["COMPLETE"] and ended.trials[0].constraints.keys() == {"x"}
    assert sorted(call.folder for call in ended.launcher.calls) == [tmp_path / "0" / f"seed-{k}" for k in range(2)]


@pytest.mark.parametrize("is_lost", [False, True], ids=["a result", "a lost worker"])
def test_a_trial_that_another_controller_let_wait_is_run_again(
    is_lost: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That one took this controller for dead, and has no slot for its trial yet."""
    taken: list[int] = []

    def task(call: Call) -> float:
        if not taken:
            taken.append(call.link.number)
            study = open_study(tmp_path, FLOATS, num_trials=2)
            study.storage.set_trial_state_values(call.link.trial_id, TrialState.WAITING)
            study.close()
            if is_lost:
                raise WorkerLost("killed")
        return square(call)

    ended = sweep(tmp_path, FLOATS, task, num_trials=2, num_slots=1)
    assert ended.states == ["COMPLETE"] * 2
    assert [call.link.number for call in ended.launcher.calls] == [0, 0, 1]
    assert "Another controller has taken over trial 0: its result here is discarded." in caplog.text


def test_a_copy_of_a_study_that_runs_takes_its_trials_and_leaves_the_original_alone(tmp_path: Path) -> None:
    (tmp_path / "original").mkdir()
    original = open_study(tmp_path / "original", FLOATS, num_trials=1)
    trial = original.claim()
    assert trial is not None
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copy = open_study(tmp_path / "copy", FLOATS, num_trials=1)
    claimed = copy.claim()
    assert claimed is not None and claimed.number == trial.number
    assert not copy.ownership.lost_controllers  # whose jobs would be ended on a cluster
    original.set_attributes(trial, {OVERRIDES: []})  # raises TakenOver if it has lost the trial
    second = open_study(tmp_path / "original", FLOATS, num_trials=1)
    assert second.claim() is None
    (tmp_path / "original").rename(tmp_path / "renamed")
    renamed = open_study(tmp_path / "renamed", FLOATS, num_trials=1)
    assert renamed.claim() is None
    (tmp_path / "renamed").rename(tmp_path / "original")
    for study in (original, copy, second):
        study.close()
    renamed.close()


def test_a_copy_of_a_study_that_runs_has_trials_in_its_own_folder_even_if_it_lacks_theirs(tmp_path: Path) -> None:
    """A job makes the folder of its trial some time after the study has named it."""
    (tmp_path / "original").mkdir()
    original = open_study(tmp_path / "original", FLOATS, num_trials=1)
    trial = original.claim()
    assert trial is not None
    original.configure(trial)
    original.set_attributes(trial, {RUN_DIR: str(tmp_path / "original" / "0"), OVERRIDES: []})
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    (tmp_path / "original" / "0").mkdir()
    ended = sweep(tmp_path / "copy", FLOATS, square, num_trials=1)
    original.close()
    assert [call.folder for call in ended.launcher.calls] == [tmp_path / "copy" / "0"]

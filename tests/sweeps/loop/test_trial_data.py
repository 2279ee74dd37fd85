"""Trials on different data are ranked together only if the user asks for it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from loop_runs import Call, Sweep, ThreadLauncher, open_study, sweep
from optuna import TrialPruned
from optuna.trial import TrialState

from spectral.errors import UserError
from sweeps.console.startup_lines import startup_lines
from sweeps.console.summary import summarize
from sweeps.job.reporter import Reporter
from sweeps.loop.trial_data import TrialData
from sweeps.space import Space
from sweeps.space.data_axes import data_axes
from sweeps.storage.connect import open_storage
from sweeps.study.attributes import FINGERPRINT
from sweeps.study.shared_study import SharedStudy

GRID: dict[str, Any] = {"x": [1, 2, 3]}
ACCEPT = {"accept_changed_data": True}


class Data:
    """The data of jobs: the fingerprint that each run writes down, as an experiment does."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def __call__(self, call: Call) -> float:
        result = call.folder / "result.json"
        if not result.exists():  # a finished run gives its result again
            self.write(result, self.fingerprint_of(call))
        return float(call.values["x"])

    def fingerprint_of(self, call: Call) -> str:
        return self.fingerprint

    @staticmethod
    def write(result: Path, fingerprint: str) -> None:
        result.write_text(json.dumps({"survey": {"fingerprint": fingerprint}}))

    def now(self, _overrides: list[str]) -> list[str]:
        return [self.fingerprint]


def run(folder: Path, task: Any, space: dict[str, Any] = GRID, **options: Any) -> Sweep:
    open_storage.cache_clear()
    return sweep(folder, space, task, num_slots=1, sampler="grid", **options)


def reopened(folder: Path, **options: Any) -> SharedStudy:
    open_storage.cache_clear()
    return open_study(folder, GRID, sampler="grid", **{"num_trials": 3, **options})


def fingerprints(ended: Sweep) -> list[Any]:
    return [trial.user_attrs.get(FINGERPRINT) for trial in ended.trials]


def test_changed_data_is_refused_before_anything_runs(tmp_path: Path) -> None:
    run(tmp_path, Data("old"), num_trials=1)
    study = reopened(tmp_path)
    with pytest.raises(UserError) as refused:
        TrialData(study, tmp_path).check_now(Data("new").now)
    assert str(refused.value) == (
        "the data of study study has changed: its trials were run on data with fingerprint old, and now it is new: "
        "give another sweep.study_name, and with run_dir another folder too, to search from scratch, or "
        "sweep.accept_changed_data=true to rank trials on different data together."
    )
    TrialData(study, tmp_path).check_now(Data("old").now)
    study.close()


def test_the_data_are_looked_for_where_the_present_command_has_them(tmp_path: Path) -> None:
    """As on another machine, where the trials did not run."""
    free: dict[str, Any] = {"num_trials": 2, "free_keys": ["cache_dir"]}
    sweep(tmp_path, GRID, Data("old"), arguments=["y=1", "cache_dir=there"], **free | {"num_trials": 1})
    study = open_study(tmp_path, GRID, arguments=["y=1", "cache_dir=here"], **free)
    asked: list[list[str]] = []

    def now(overrides: list[str]) -> list[str]:
        asked.append(overrides)
        return []

    TrialData(study, tmp_path).check_now(now)
    assert len(asked) == 1 and asked[0][:2] == ["cache_dir=here", "y=1"] and asked[0][2].startswith("x=")
    study.close()


def test_data_that_is_not_known_or_no_longer_needed_is_not_refused(tmp_path: Path) -> None:
    run(tmp_path, Data("old"))
    study = reopened(tmp_path)
    TrialData(study, tmp_path).check_now(Data("new").now)  # it is finished: its result is shown
    study.close()
    study = reopened(tmp_path, num_trials=2)
    TrialData(study, tmp_path).check_now(lambda _: [])
    study.close()


def test_a_fingerprint_under_its_name_of_an_earlier_version_is_the_same_data(tmp_path: Path) -> None:
    run(tmp_path, Data("former name"), num_trials=1)
    study = reopened(tmp_path)
    data = TrialData(study, tmp_path)
    data.check_now(lambda _: ["name", "former name"])
    trial = study.claim()
    assert trial is not None
    study.close()


def test_a_study_of_an_earlier_version_is_compared_by_its_run_folders(tmp_path: Path) -> None:
    def without_result(call: Call) -> float:
        return float(call.values["x"])

    run(tmp_path, without_result, num_trials=1)  # its version kept no fingerprint with the trial
    study = reopened(tmp_path)
    TrialData(study, tmp_path).check_now(Data("new").now)
    Data.write(tmp_path / "0" / "result.json", "old")
    with pytest.raises(UserError, match="fingerprint old, and now it is new"):
        TrialData(study, tmp_path).check_now(Data("new").now)
    study.close()


def test_data_that_changes_while_a_command_runs_ends_it_and_nothing_is_ranked(tmp_path: Path) -> None:
    data = Data("old")

    def changes(call: Call) -> float:
        data.fingerprint = "old" if call.values["x"] == 1 else "new"
        return data(call)

    with pytest.raises(UserError, match=r"trial 1 was run on data with fingerprint new, not old: if the .* delete"):
        run(tmp_path, changes)
    study = reopened(tmp_path)
    assert [trial.state for trial in study.trials()] == [TrialState.COMPLETE, TrialState.WAITING]
    study.close()
    # As the sentence says: the data is as before, and the folder is deleted.
    (tmp_path / "1" / "result.json").unlink()
    assert fingerprints(run(tmp_path, Data("old"))) == ["old"] * 3


def test_accepted_data_is_ranked_with_the_old_and_said_so_from_then_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, Data("old"), num_trials=1)
    assert fingerprints(run(tmp_path, Data("new"), num_trials=2, **ACCEPT)) == ["old", "new"]
    study = reopened(tmp_path)  # without the key
    TrialData(study, tmp_path).check_now(Data("new").now)
    TrialData(study, tmp_path).check_now(Data("old").now)
    with pytest.raises(UserError, match="fingerprint new or old, and now it is third"):
        TrialData(study, tmp_path).check_now(Data("third").now)
    said = "Trials on different data are ranked together, as sweep.accept_changed_data asked: new and old."
    assert said in list(startup_lines(study, study.config, []))
    summarize(study, tmp_path)
    study.close()
    assert json.loads((tmp_path / "sweep.json").read_text())["data"] == ["new", "old"]
    assert fingerprints(run(tmp_path, Data("old"))) == ["old", "new", "old"]


def test_seeds_of_a_trial_on_different_data_are_not_averaged(tmp_path: Path) -> None:
    class ByseedData(Data):
        def fingerprint_of(self, call: Call) -> str:
            return f"of seed {call.values['seed']}"

    with pytest.raises(UserError, match="fingerprint of seed 11, not of seed 10"):
        run(tmp_path, ByseedData(""), seeds=2)


def test_seeds_on_changed_data_run_again_once_their_folder_is_deleted(tmp_path: Path) -> None:
    """As the sentence advises, if the data is as before: what was computed on the changed data is not ranked."""

    class Shifted(Data):
        def __call__(self, call: Call) -> float:
            return super().__call__(call) + (100.0 if self.fingerprint == "new" else 0.0)

    options: dict[str, Any] = {"seeds": 2, "num_trials": 2}
    run(tmp_path, Shifted("old"), **{**options, "num_trials": 1})
    with pytest.raises(UserError, match=r"trial 1 was run on data with fingerprint new, not old: if the .* delete"):
        run(tmp_path, Shifted("new"), **options)
    with pytest.raises(UserError, match="trial 1 was run on data with fingerprint new, not old"):
        run(tmp_path, Shifted("old"), **options)  # nothing is deleted
    shutil.rmtree(tmp_path / "1")
    ended = run(tmp_path, Shifted("old"), **options)
    assert fingerprints(ended) == ["old"] * 2 and [trial.values for trial in ended.trials] == [[1.0], [2.0]]


class Stopping(Data):
    """Jobs that their pruner stops after they have written down their data."""

    def __call__(self, call: Call) -> float:
        (call.folder / "data.json").write_text(json.dumps({"fingerprint": self.fingerprint_of(call)}))
        if call.values["x"] == 3:
            raise ArithmeticError("as asked")
        if call.link.promote:
            reporter = Reporter(call.link)
            try:
                reporter.report(1, float(call.values["x"]))
            finally:
                reporter.close()
        raise TrialPruned("at step 1")


def test_changed_data_is_refused_before_any_trial_is_complete(tmp_path: Path) -> None:
    """All trials so far are paused; a failed one is not compared."""
    options: dict[str, Any] = {"pruner": "asha", "promote": True, "num_trials": 4, "direction": "minimize"}
    space = {"x": [1, 2, 3, 4]}
    begun = run(tmp_path, Stopping("old"), space, max_failures=1, **options)
    assert begun.states == ["RUNNING", "RUNNING", "FAIL"] and fingerprints(begun) == ["old", "old", None]
    open_storage.cache_clear()
    study = open_study(tmp_path, space, sampler="grid", **options)
    with pytest.raises(UserError, match="fingerprint old, and now it is new"):
        TrialData(study, tmp_path).check_now(Data("new").now)
    TrialData(study, tmp_path).check_now(Data("old").now)
    study.close()


def test_the_data_of_a_pruned_trial_is_compared(tmp_path: Path) -> None:
    pruned = run(tmp_path, Stopping("old"), num_trials=1)
    assert pruned.states == ["PRUNED"] and fingerprints(pruned) == ["old"]
    with pytest.raises(UserError, match="trial 1 was run on data with fingerprint new, not old"):
        run(tmp_path, Stopping("new"), num_trials=2)


def test_pruned_trials_of_an_earlier_version_name_no_data(tmp_path: Path) -> None:
    def pruned(call: Call) -> float:
        raise TrialPruned("at step 1")

    assert fingerprints(run(tmp_path, pruned, num_trials=2)) == [None] * 2
    study = reopened(tmp_path)
    TrialData(study, tmp_path).check_now(Data("new").now)
    study.close()
    assert fingerprints(run(tmp_path, Data("new"))) == [None, None, "new"]


class DataOfAxis(Data):
    """Each value of the axis is a survey of its own."""

    def fingerprint_of(self, call: Call) -> str:
        return f"{call.values['data.limit']} {self.fingerprint}"


def test_surveys_that_are_searched_are_different_by_intent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = {"data.limit": [100, 200], "x": [1, 2]}
    axes = data_axes(Space.read(space), lambda _: None)
    monkeypatch.setattr(TrialData, "_axes", axes)
    assert fingerprints(run(tmp_path, DataOfAxis("old"), space, num_trials=3)) == ["100 old", "100 old", "200 old"]
    with pytest.raises(UserError, match="trial 3 was run on data with fingerprint 200 new, not 200 old"):
        run(tmp_path, DataOfAxis("new"), space, num_trials=4)
    opened: list[list[str]] = []
    open_storage.cache_clear()
    study = open_study(tmp_path, space, sampler="grid", num_trials=4)
    TrialData(study, tmp_path).check_now(lambda overrides: opened.append(overrides) or [])
    study.close()
    assert opened == [["data.limit=100", "x=2"], ["data.limit=200", "x=1"]]


def test_the_axes_that_choose_data_are_found_by_what_they_bring() -> None:
    space = Space.read({"model": ["fcn", "tiny"], "experiment": ["a", "b"], "data": ["c", "d"], "data.limit": [1, 2]})

    def data_of(overrides: list[str]) -> Any:
        return {"path": [override for override in overrides if override.startswith("experiment")]}

    assert data_axes(space, data_of) == ["experiment", "data", "data.limit"]


def test_a_task_that_names_no_data_is_not_compared(tmp_path: Path) -> None:
    ended = run(tmp_path, lambda call: float(call.values["x"]))
    assert fingerprints(ended) == [None] * 3 and isinstance(ended.launcher, ThreadLauncher)


def test_changed_data_is_refused_before_failed_trials_of_a_finished_study_are_enqueued(tmp_path: Path) -> None:
    def fails(call: Call) -> float:
        if call.values["x"] == 3:
            raise ArithmeticError("as asked")
        return Data("old")(call)

    ended = run(tmp_path, fails)
    assert ended.loop.is_finished
    study = reopened(tmp_path, retry_failed=True)
    with pytest.raises(UserError, match="fingerprint old, and now it is new"):
        TrialData(study, tmp_path).check_now(Data("new").now)
    assert len(study.trials()) == 3
    TrialData(study, tmp_path).check_now(Data("old").now)
    study.begin_command()
    assert [trial.state for trial in study.trials()][2:] == [TrialState.FAIL, TrialState.WAITING]
    assert not study.is_finished()
    study.close()

"""The ensemble that a sweep ends in, and the command that makes one of a study: trials are runs of a moment."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_runs
from loop_runs import Call, Sweep, sweep
from optuna.trial import FrozenTrial

from spectral.runs.folder import RunFolder
from sweeps.console.summary import summarize
from sweeps.ensemble import command, of_sweep
from sweeps.ensemble.of_sweep import end_in_ensemble, lacks_ensemble, make_ensemble_of
from sweeps.loop.interrupts import Interrupts
from sweeps.report.command import write_report
from sweeps.results.ranking import ranked
from sweeps.results.run import Run
from sweeps.results.sweep_ensemble import SweepEnsemble

SPACE = {"x": [4, 5, 6]}
EPOCHS = ("schedule.stages.0.epochs=1", "schedule.stages.0.steps=6", "score_test=false")
OPTIONS = {"objective": "val/macro_f1", "direction": "maximize", "num_trials": 3, "sampler": "grid", "ensemble": True}


@pytest.fixture(scope="module")
def folder(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a sweep of three trials that has ended, with its ensemble."""
    folder = tmp_path_factory.mktemp("sweeps") / "study"
    ended = searched(folder, pack_folder)
    assert ended.states == ["COMPLETE"] * 3
    assert make_ensemble_of(ended.study, folder, top=20) == ""
    return folder


def trained(pack: Path, width: int, folder: Path, *more: str) -> float:
    """A run's objective; one that has ended is only scored."""
    own = [option for option in small_runs.OVERRIDES if not option.startswith("model.width")]
    data = ["data=packed", f"data.folder={pack}"]
    return float(small_runs.run([*data, *own, f"model.width={width}", *EPOCHS, f"run_dir={folder}", *more]))


def searched(folder: Path, pack: Path, num_trials: int = 3) -> Sweep:
    """Run what is left of the sweep."""

    def task(call: Call) -> float:
        return trained(pack, call.values["x"], call.folder)

    return sweep(folder, SPACE, task, num_slots=1, **{**OPTIONS, "num_trials": num_trials})


def test_the_summary_the_report_and_sweep_json_show_it_with_its_difference(
    folder: Path, pack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = searched(folder, pack_folder).study
    summarize(study, folder)
    said, summary = capsys.readouterr().out, json.loads((folder / "sweep.json").read_text())
    result = json.loads((folder / "ensemble" / "result.json").read_text())
    best = summary["best"][0]["number"]
    assert (
        f"ensemble of {len(result['ensemble']['members'])} networks: val/macro_f1 {result['val/macro_f1']:.4f}" in said
    )
    assert f"val/macro_f1 of the ensemble less that of trial {best}: " in said
    assert f"ensemble: python -m spectral.predict run={folder / 'ensemble'} out=classes.csv data=..." in said
    assert summary["ensemble"]["val/macro_f1"] == result["val/macro_f1"]
    found = summary["ensemble"]["difference"]
    own = json.loads((folder / str(best) / "result.json").read_text())["val/macro_f1"]
    assert found["value"] == pytest.approx(result["val/macro_f1"] - own)
    assert found["low"] <= found["value"] <= found["high"] and found["to"] == f"trial {best}"
    page = write_report(str(folder)).read_text()
    assert f"{found['value']:+.4f}, 95 % interval" in page and "The best trial was chosen on these spectra" in page


def test_a_later_command_without_the_flag_shows_it_too(folder: Path, pack_folder: Path) -> None:
    study, kept = searched(folder, pack_folder).study, []
    for flag in (True, False):
        study.config.ensemble = flag
        summarize(study, folder)
        kept.append(json.loads((folder / "sweep.json").read_text())["ensemble"])
    assert kept[0] and kept[0] == kept[1]


def test_trials_that_ended_after_it_was_made_are_named(
    folder: Path, pack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, result = searched(folder, pack_folder).study, folder / "ensemble" / "result.json"
    made_ns = result.stat().st_mtime_ns
    for time_ns, num in ((10**9, 3), (made_ns, 0)):
        os.utime(result, ns=(time_ns, time_ns))
        capsys.readouterr()
        summarize(study, folder)
        assert ("3 trials ended after this ensemble was made" in capsys.readouterr().out) == bool(num)
        assert json.loads((folder / "sweep.json").read_text())["ensemble"]["num_later_trials"] == num


def test_it_is_made_again_only_if_trials_have_changed(
    folder: Path, pack_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, result = searched(folder, pack_folder).study, folder / "ensemble" / "result.json"
    os.utime(result, (4e9, 4e9))
    assert make_ensemble_of(study, folder, top=20) == "" and result.stat().st_mtime == 4e9
    assert make_ensemble_of(study, folder, top=2) == "" and result.stat().st_mtime < 4e9
    assert len(json.loads(result.read_text())["ensemble"]["runs"]) == 2
    os.utime(result, (1, 1))  # older than the trials
    assert make_ensemble_of(study, folder, top=2) == "" and result.stat().st_mtime > 1


def test_an_ensemble_that_does_not_know_the_best_trial_is_left_out(folder: Path) -> None:
    made = json.loads((folder / "ensemble" / "result.json").read_text())
    known = Path(made["ensemble"]["runs"][0])
    assert SweepEnsemble.of(folder, [Run(known)], "trial 0")
    assert SweepEnsemble.of(folder, [Run(folder / "7")], "trial 7") is None


def test_it_is_scored_on_the_test_split_after_the_best_trial(
    pack_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "study"
    study = searched(folder, pack_folder).study
    stopped = Interrupts(print)
    stopped.draining = True
    assert end_in_ensemble(study, folder, stopped) == "There is no whole ensemble yet: the command was stopped."
    assert lacks_ensemble(study, folder)
    assert make_ensemble_of(study, folder, top=20) == ""
    assert not lacks_ensemble(study, folder) and end_in_ensemble(study, folder, stopped) == ""
    result = json.loads((folder / "ensemble" / "result.json").read_text())
    assert not result["score_test"] and "test/macro_f1" not in result

    def score(trial: FrozenTrial) -> None:
        trained(pack_folder, trial.params["x"], folder / str(trial.number), "score_test=true")

    best, *others = ranked(study.trials(), study.study.directions)
    score(best)  # as the last run of a sweep does
    study.note_final(best.number, is_done=True)
    assert lacks_ensemble(study, folder)
    assert make_ensemble_of(study, folder, top=20) == ""
    assert not lacks_ensemble(study, folder)
    scored = json.loads((folder / "ensemble" / "result.json").read_text())
    assert scored["score_test"] and {name: scored[name] for name in result if "/" in name} == {
        name: value for name, value in result.items() if "/" in name
    }
    assert RunFolder(folder / "ensemble").load_config()["score_test"]
    summarize(study, folder)
    said = capsys.readouterr().out
    assert (
        f"test/macro_f1 {scored['test/macro_f1']:.4f}" in said and "test/macro_f1 of the ensemble less that of" in said
    )

    for trial in others:  # of test scores of their own the same average is made without a network
        score(trial)
    runs = [str(path) for path in result["ensemble"]["runs"]]
    assert command.main([*runs, "--out", str(tmp_path / "again"), "--seed", str(result["ensemble"]["seed"])]) == 0
    again = json.loads((tmp_path / "again" / "result.json").read_text())
    assert scored["test/macro_f1"] == pytest.approx(again["test/macro_f1"])
    said, expected = (
        pd.read_parquet(path / "predictions.parquet") for path in (folder / "ensemble", tmp_path / "again")
    )
    columns = [name for name in said if name.startswith("probability/")]
    assert columns and (said[["split", "id"]] == expected[["split", "id"]]).all(axis=None)
    np.testing.assert_allclose(said[columns], expected[columns], atol=1e-5)


@pytest.mark.slow
def test_an_ensemble_that_cannot_be_scored_is_shown_all_the_same(
    pack_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, pack = tmp_path / "study", shutil.copytree(pack_folder, tmp_path / "pack")
    study = searched(folder, pack).study
    best = ranked(study.trials(), study.study.directions)[0]
    trained(pack, best.params["x"], folder / str(best.number), "score_test=true")
    study.note_final(best.number, is_done=True)
    pack.rename(tmp_path / "moved")
    assert make_ensemble_of(study, folder, top=20) == ""
    assert "The ensemble is not scored on the test split: " in capsys.readouterr().out
    summarize(study, folder)
    said = capsys.readouterr().out
    assert "ensemble of " in said and f"run={folder / 'ensemble'}" in said.replace("'", "")
    with RunFolder(folder / "ensemble").locked():
        assert make_ensemble_of(study, folder, top=20) == ""
    assert "is not scored on the test split here: another process is at work on it." in capsys.readouterr().out


def test_of_two_controllers_one_makes_it(folder: Path, pack_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, result = searched(folder, pack_folder).study, folder / "ensemble" / "result.json"
    os.utime(result, (1, 1))  # older than the trials
    with RunFolder(folder / "ensemble").locked():
        said = make_ensemble_of(study, folder, top=20)
    assert said == "There is no ensemble here yet: another process is making it." and result.stat().st_mtime == 1
    answers = iter([False, True])  # the other one ends while this one imports torch
    monkeypatch.setattr(of_sweep, "_is_current", lambda *_: next(answers))
    assert make_ensemble_of(study, folder, top=20) == "" and result.stat().st_mtime == 1
    os.utime(result)


def test_the_command_scores_the_test_split_if_asked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(folder), "--select", "all", "--out", str(tmp_path / "one")]
    assert command.main(given) == 0
    assert "Its test split has not been scored: the same command with --score-test" in capsys.readouterr().out
    assert command.main([*given, "--score-test"]) == 0
    assert "test macro-F1" in capsys.readouterr().out
    assert json.loads((tmp_path / "one" / "result.json").read_text())["score_test"]


def test_the_command_scores_on_another_device_than_that_of_the_runs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [RunFolder(shutil.copytree(folder / str(number), tmp_path / str(number))) for number in range(2)]
    for run in runs:
        run.write_config(run.load_config() | {"device": "cuda:99"})
    given = [*(str(run.path) for run in runs), "--select", "all", "--out", str(tmp_path / "out")]
    for options, said in (
        (["--score-test"], "device=cuda:99 is not on this machine"),
        (["--score-test", "--device", "cuda:98"], "device=cuda:98 is not on this machine"),
        (["--device", "cpu"], "--device is that of --score-test, without which no network runs"),
    ):
        assert command.main([*given, *options]) == 2 and said in capsys.readouterr().err
    assert command.main([*given, "--score-test", "--device", "cpu"]) == 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["score_test"]


@pytest.mark.slow
def test_of_runs_without_a_test_split_no_scores_of_it_are_promised(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [shutil.copytree(folder / str(number), tmp_path / str(number)) for number in range(2)]
    for path in runs:
        config = (path / "config.yaml").read_text()
        assert "  test: 0.2\n" in config
        (path / "config.yaml").write_text(config.replace("  test: 0.2\n", "  test: 0.0\n"))
    given = [*map(str, runs), "--select", "all", "--out", str(tmp_path / "out")]
    assert command.main(given) == 0
    assert "--score-test" not in capsys.readouterr().out
    stamp = (tmp_path / "out" / "result.json").stat().st_mtime_ns
    assert command.main([*given, "--score-test"]) == 2
    assert "--score-test cannot be had: the runs have no test split" in capsys.readouterr().err
    assert (tmp_path / "out" / "result.json").stat().st_mtime_ns == stamp


def test_the_command_takes_a_study_its_trials_and_names_what_is_gone(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(folder), "--top", "2", "--select", "all", "--out", str(tmp_path / "two")]) == 0
    assert "--score-test" in capsys.readouterr().out
    trials = [f"{folder}:{number}" for number in range(3)]
    assert command.main([*trials, "--select", "all", "--out", str(tmp_path / "three")]) == 0
    made = [json.loads((tmp_path / name / "result.json").read_text())["ensemble"] for name in ("two", "three")]
    assert [len(one["members"]) for one in made] == [2, 3]
    best = Path(json.loads((tmp_path / "two" / "result.json").read_text())["ensemble"]["runs"][0]).name
    capsys.readouterr()
    for given, said in (
        ([f"{folder}:7"], "has no trial 7: its 3 trials are numbered from 0"),
        ([str(tmp_path / "nothing")], "is neither a run, nor a study, nor STUDY:NUMBER of a study"),
        ([f"{folder}:0"], "is a single network: an ensemble needs two or more"),
        ([str(folder), "--snapshots"], f"{folder / best} has no snapshots"),
    ):
        assert command.main([*given, "--out", str(tmp_path / "out")]) == 2
        assert said in capsys.readouterr().err


def test_a_sweep_of_one_trial_says_why_it_has_none(
    pack_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = searched(tmp_path / "study", pack_folder, num_trials=1).study
    why = make_ensemble_of(study, tmp_path / "study", top=20)
    assert why == "There is no ensemble: 1 trial has ended well, and it needs two."
    summarize(study, tmp_path / "study", why)
    assert why in capsys.readouterr().out


def test_a_lost_member_and_any_other_failure_end_in_a_sentence(
    folder: Path, pack_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spectral.ensembling import make

    study = searched(folder, pack_folder).study
    (folder / "1" / "best.safetensors").rename(folder / "1" / "moved")
    said = make_ensemble_of(study, folder, top=20)
    (folder / "1" / "moved").rename(folder / "1" / "best.safetensors")
    assert said.startswith("There is no ensemble: ") and "1 cannot be a member: it has no network" in said

    (folder / "1").rename(folder / "gone")
    assert make_ensemble_of(study, folder, top=20) == ""  # it was made before its member went
    os.utime(folder / "ensemble" / "result.json", (1, 1))  # older than the trials
    assert make_ensemble_of(study, folder, top=20).endswith(
        "1 of the study study cannot be a member: its run folder is gone."
    )
    (folder / "gone").rename(folder / "1")

    def fail(*_: object) -> None:
        raise ArithmeticError("three")

    monkeypatch.setattr(make, "make_ensemble", fail)
    monkeypatch.setattr(of_sweep, "_is_current", lambda *_: False)
    assert make_ensemble_of(study, folder, top=20) == "The ensemble could not be made (ArithmeticError: three)."

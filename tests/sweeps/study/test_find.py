"""A study is found by its name, its folder, or where it was moved to."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from loop_runs import Call, open_study, sweep

from spectral.errors import UserError
from sweeps import export, wandb_workspace
from sweeps.compare import command as compare
from sweeps.compare.subjects import find_subject
from sweeps.console.summary import summarize
from sweeps.dashboard.sources import StudySources
from sweeps.ls import command as ls
from sweeps.report import command as report_command
from sweeps.report.read_study import read_report
from sweeps.storage.connect import open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import IDENTITY
from sweeps.study.find import name_in_folder, name_of_yaml, study_folder


def test_a_study_is_found_by_its_name_and_after_a_move(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    moved = tmp_path / "outputs" / "sweeps" / "moved"
    moved.parent.mkdir(parents=True)
    finished.rename(moved)
    assert len(export.study_table("moved")) == 6


def test_every_study_that_is_listed_is_found_by_its_name(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A study of the command line alone may be among the runs."""
    monkeypatch.chdir(tmp_path)
    for place in (Path("outputs/runs/a"), Path("outputs/b"), Path("outputs/sweeps/c")):
        shutil.copytree(finished, place)
    assert ls.main(["--json"]) == 0
    listed = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert sorted(listed) == ["a", "b", "c"]
    for name in listed:
        assert len(export.study_table(name)) == 6
        report = read_report(name)
        assert report.folder == study_folder(name) and len(report.trials) == 6
    shown = StudySources(Path("outputs"), None).find()
    assert sorted(source.folder.name for source in shown if source.folder) == ["a", "b", "c"]


def test_a_study_of_another_storage_is_found_by_the_name_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    home = Path("outputs/sweeps/study")
    options: dict[str, Any] = {"num_trials": 2, "storage": "sqlite:///studies.db"}

    def task(call: Call) -> float:
        (call.folder / "config.yaml").write_text("model: {width: 4}\n")
        return 1.0

    sweep(home, {"x": {"low": 0.0, "high": 1.0}}, task, **options)
    study = open_study(home, {"x": {"low": 0.0, "high": 1.0}}, **options)
    summarize(study, home)
    study.close()
    home.rename(home.with_name("renamed"))  # as a study with a journal may be
    for name in ("renamed", "outputs/sweeps/renamed"):
        assert len(export.study_table(name)) == 2
        assert len(read_report(name).trials) == 2 and read_report(name).folder.name == "renamed"
    assert find_subject("renamed:1").name == "study:1" and find_subject("renamed").runs
    assert export.main(["renamd"]) == 2
    assert "did you mean 'renamed'?" in capsys.readouterr().err
    Path("studies.db").unlink()
    open_storage.cache_clear()
    assert export.main(["renamed"]) == 2
    gone = "there is no file studies.db, which sweep.storage=sqlite:///studies.db names."
    assert capsys.readouterr().err == f"error: {gone}\n"


def test_trials_of_a_study_without_a_folder_are_compared_by_its_storage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "sqlite:///studies.db"

    def task(call: Call) -> float:
        (call.folder / "config.yaml").write_text(f"x: {call.values['x']}\n")
        return float(call.values["x"])

    sweep(Path("home"), {"x": [1, 2]}, task, sampler="grid", storage=url)
    for first, other in (("study:0", "study:1"), ("study:1", "study")):  # the best is the first trial
        assert compare.main([first, other, "--storage", url]) == 0
        printed = capsys.readouterr().out
        assert "study:0" in printed and "study:1" in printed
    assert compare.main(["study:0", "stdy", "--storage", url]) == 2
    assert "in the storage: did you mean 'study'?" in capsys.readouterr().err


def test_a_misspelt_study_name_is_refused_with_the_nearest(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, "outputs/sweeps/fractions")
    shutil.copytree(finished, "outputs/runs/other")
    for command in (export, wandb_workspace, report_command):
        assert command.main(["fractons"]) == 2
        assert "fractons: did you mean 'fractions'? " in capsys.readouterr().err
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    optuna.create_study(study_name="widths", storage=open_storage(url, 60))
    assert export.main(["width", "--storage", url]) == 2
    assert "in the storage: did you mean 'widths'? it has widths." in capsys.readouterr().err


def test_a_study_in_the_working_folder_is_named_by_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert name_in_folder(Path(), None, None, 10) == "mine"
    assert name_in_folder(Path(".."), None, None, 10) == tmp_path.name


def begin(name: str, url: str) -> None:
    optuna.create_study(study_name=name, storage=open_storage(url, 10)).set_user_attr(IDENTITY, {})


@pytest.mark.parametrize("old", ["lamost/mine", "lamost-mine"])
def test_a_study_in_a_run_dir_is_resumed_whether_its_name_has_a_slash(old: str, tmp_path: Path) -> None:
    """As one of sweep=lamost/mine had in an earlier version. No command can give such a name."""
    begin(old, journal_url(tmp_path))
    assert name_in_folder(tmp_path, "lamost-mine", None, 10) == old
    assert name_in_folder(tmp_path, "lamost/mine", None, 10) == old
    with pytest.raises(UserError, match=r"give sweep\.study_name=lamost-mine run_dir=.* to resume it"):
        name_in_folder(tmp_path, "other", None, 10)


def test_the_name_itself_comes_before_one_with_a_slash(tmp_path: Path) -> None:
    for name in ("lamost/mine", "lamost-mine"):
        begin(name, journal_url(tmp_path))
    assert name_in_folder(tmp_path, "lamost-mine", None, 10) == "lamost-mine"


def test_a_study_in_a_storage_keeps_its_slash_on_a_machine_without_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/studies.db"
    assert name_of_yaml("lamost/mine", url, 10) == "lamost-mine"
    begin("lamost/mine", url)
    assert name_of_yaml("lamost/mine", url, 10) == "lamost/mine"
    assert name_of_yaml("lamost/mine", None, 10) == "lamost-mine"


def test_a_missing_study_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main([str(tmp_path / "nope")]) == 2
    assert capsys.readouterr().err.startswith(f"error: there is no study {tmp_path}/nope: neither")


@pytest.mark.parametrize("folder", ["plain", "a b", "a, b", "x (1)", "a=b", "it's"])
def test_the_words_that_resume_the_study_of_a_folder_can_be_pasted(folder: str, tmp_path: Path) -> None:
    sweep(tmp_path / folder, {"x": [1]}, lambda _: 1.0)
    with pytest.raises(UserError, match="holds the study study, not another: give") as raised:
        name_in_folder(tmp_path / folder, "another", None, 10)
    pasted = re.search(r"give (.*) to resume it", str(raised.value))
    assert pasted
    read = OverridesParser.create().parse_overrides(shlex.split(pasted[1]))
    assert [(o.key_or_group, o.value()) for o in read] == [
        ("sweep.study_name", "study"),
        ("run_dir", str(tmp_path / folder)),
    ]
    assert ("'" in pasted[1]) == (folder != "plain")

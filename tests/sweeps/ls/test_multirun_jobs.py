"""The runs of a multirun that is no study, such as `spectral.baseline -m`, in the list."""

import json
from pathlib import Path

import pytest

from sweeps.compare.subjects import find_subject
from sweeps.ls import command

BASELINE = "objective: val/macro_f1\nmethod: {name: boosting}\n"


def make_runs(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(BASELINE)
        (folder / "result.json").write_text('{"objective": "val/macro_f1", "val/macro_f1": 0.5}')


def names_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert command.main([str(folder), "--json"]) == 0
    return sorted(entry["name"] for entry in json.loads(capsys.readouterr().out))


def test_they_are_listed_by_names_that_commands_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "outputs" / "runs"
    make_runs(runs / "classical" / "0", runs / "classical" / "10", runs / "3")
    names = names_of(tmp_path / "outputs", capsys)
    assert names == ["3", "classical/0", "classical/10"]
    monkeypatch.chdir(tmp_path)
    assert [find_subject(name).runs[0].path.resolve() for name in names] == [
        runs / "3",
        runs / "classical" / "0",
        runs / "classical" / "10",
    ]
    assert names_of(runs / "classical", capsys) == ["0", "10"]


def test_the_trials_of_a_study_are_listed_with_its_folder_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "sweeps" / "widths"
    make_runs(study / "0")
    counts = {"complete": 1, "pruned": 0, "fail": 0, "running": 0, "waiting": 0}
    summary = {"num_trials": 1, "counts": counts, "best": [{"values": [0.5]}], "objectives": ["val/macro_f1"]}
    (study / "sweep.json").write_text(json.dumps(summary))
    assert names_of(tmp_path, capsys) == ["widths"]
    assert names_of(study, capsys) == ["widths", "widths/0"]

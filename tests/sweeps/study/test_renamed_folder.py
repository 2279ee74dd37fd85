"""A folder that was renamed or copied holds its study under the old name: a command begins no second one there."""

from pathlib import Path

import pytest
from search_runs import end_of, run, trials


def test_a_study_in_a_renamed_folder_is_resumed(tmp_path: Path) -> None:
    run(tmp_path / "a b", "sweep.num_trials=2")
    (tmp_path / "a b").rename(tmp_path / "c d")
    output = run(tmp_path / "c d", "sweep.num_trials=3")
    assert "The study a b resumes: 2 of 3 trials have ended." in output
    assert len(trials(tmp_path / "c d")) == 3
    assert runs_of(tmp_path / "c d") == ["0", "1", "2"]


@pytest.mark.slow
def test_a_study_of_a_database_is_resumed_in_a_renamed_folder(tmp_path: Path) -> None:
    storage = f"sweep.storage=sqlite:///{tmp_path}/s.db"
    run(tmp_path / "begun", "sweep.num_trials=2", storage)
    (tmp_path / "begun").rename(tmp_path / "renamed")
    code, output = end_of(tmp_path / "renamed", "sweep.num_trials=3")
    assert code and f"has no study begun, and the one of the folder {tmp_path}/renamed is kept in sqlite" in output
    run(tmp_path / "renamed", "sweep.num_trials=3", storage)
    assert len(trials(tmp_path / "renamed", f"sqlite:///{tmp_path}/s.db")) == 3
    assert runs_of(tmp_path / "renamed") == ["0", "1", "2"]


def test_a_folder_holds_one_study(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    run(folder, "sweep.num_trials=1")
    code, output = end_of(folder, "sweep.num_trials=1", "sweep.study_name=another")
    same = f"'sweep.study_name=a b' 'run_dir={folder}'"
    assert code and f"holds the study a b, not another: give {same} to resume it, or another run_dir." in output
    assert len(trials(folder)) == 1
    assert "is finished" in run(folder, "sweep.num_trials=1", "sweep.study_name=a b")


def runs_of(folder: Path) -> list[str]:
    """The folders of the runs that have ended there, one for each time that one was run."""
    return sorted((folder / "ended").read_text().split())

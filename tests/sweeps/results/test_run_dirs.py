"""The folders of a trial's runs, where its study is by now."""

from pathlib import Path

from sweeps.results.run import Run
from sweeps.results.run_dirs import folder_of, folder_to_run_in, run_dirs
from sweeps.storage.urls import journal_url


def test_runs_of_several_seeds_come_in_the_order_of_the_seeds(tmp_path: Path) -> None:
    for seed in (10, 2, 0):
        (tmp_path / "study" / "4" / f"seed-{seed}").mkdir(parents=True)
    attributes = {"run_dir": str(tmp_path / "study" / "4")}
    assert [path.name for path in run_dirs(attributes, tmp_path / "study")] == ["seed-0", "seed-2", "seed-10"]


def test_names_that_are_no_seed_are_left_out(tmp_path: Path) -> None:
    trial = tmp_path / "study" / "4"
    trial.mkdir(parents=True)
    attributes = {"run_dir": str(trial)}
    (trial / "seed-3").touch()  # no folder
    (trial / "seed-1 (copy)").mkdir()
    assert run_dirs(attributes, tmp_path / "study") == [trial]
    (trial / "seed-1").mkdir()
    assert run_dirs(attributes, tmp_path / "study") == [trial / "seed-1"]
    assert Run(trial / "seed-1 (copy)").seed_index == 0 and Run(trial / "seed-1").seed_index == 1


def test_a_moved_study_has_its_runs_with_it(tmp_path: Path) -> None:
    (tmp_path / "moved" / "4").mkdir(parents=True)
    attributes = {"run_dir": str(tmp_path / "study" / "4")}
    assert folder_of(attributes, tmp_path / "moved") == tmp_path / "moved" / "4"


def test_a_copied_study_has_runs_of_its_own(tmp_path: Path) -> None:
    for name in ("study", "copy"):
        (tmp_path / name / "4").mkdir(parents=True)
    attributes = {"run_dir": str(tmp_path / "study" / "4")}
    assert folder_of(attributes, tmp_path / "copy") == tmp_path / "copy" / "4"


def test_a_copy_that_lacks_a_folder_does_not_write_to_that_of_its_original(tmp_path: Path) -> None:
    (tmp_path / "study" / "4").mkdir(parents=True)
    attributes, copy = {"run_dir": str(tmp_path / "study" / "4")}, tmp_path / "copy"
    assert folder_to_run_in(attributes, copy, journal_url(copy)) == copy / "4"
    assert folder_to_run_in(attributes, copy, "postgresql://host/studies") == tmp_path / "study" / "4"
    assert folder_to_run_in({}, copy, journal_url(copy)) is None


def test_a_trial_that_has_not_begun_has_no_folder(tmp_path: Path) -> None:
    assert folder_of({}, tmp_path) is None and run_dirs({}, tmp_path) == []

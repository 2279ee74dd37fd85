"""A ranking of trials that were scored on different splits, as of two experiments, says so."""

import shutil
from pathlib import Path

import pytest
from loop_runs import Call, sweep

from sweeps.console.summary import summarize
from sweeps.report.read_study import read_report
from sweeps.report.sections import summary

DOUBT = "The trials have different splits, so their scores are not of the same spectra"


@pytest.mark.parametrize(
    ("axis", "splits", "is_said"),
    [
        ("experiment", ["stratified", "random"], True),
        ("experiment", ["random", "random"], False),
        ("split.seed", ["random", "stratified"], True),
        ("experiment", [None, None], False),  # of a program that leaves no config
    ],
)
def test_the_table_and_the_report_say_that_splits_differ(
    axis: str, splits: list[str | None], is_said: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def task(call: Call) -> float:
        split = splits[call.link.number]
        if split is not None:
            (call.folder / "config.yaml").write_text(f"split: {{name: {split}, seed: 0}}\n")
        return 1.0

    done = sweep(tmp_path, {axis: [1, 2]}, task, sampler="grid")
    summarize(done.study, tmp_path)
    assert (DOUBT in capsys.readouterr().out) == is_said
    assert (DOUBT in summary.section(read_report(str(tmp_path))).html) == is_said


def test_another_fold_of_a_trial_that_lacks_the_first_is_no_other_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def task(call: Call) -> float:
        fold = int(call.folder.name.removeprefix("seed-"))
        (call.folder / "config.yaml").write_text(f"split: {{name: kfold, fold: {fold}}}\n")
        return 1.0

    done = sweep(tmp_path, {"model": ["a", "b"]}, task, sampler="grid", seeds=2, seed_key="split.fold")
    shutil.rmtree(tmp_path / "0" / "seed-0")
    summarize(done.study, tmp_path)
    assert DOUBT not in capsys.readouterr().out


def test_a_damaged_config_does_not_end_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def task(call: Call) -> float:
        (call.folder / "config.yaml").write_text("split: [")
        return 1.0

    summarize(sweep(tmp_path, {"experiment": [1, 2]}, task, sampler="grid").study, tmp_path)
    assert "2 complete" in capsys.readouterr().out

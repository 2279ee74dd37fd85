"""Which runs of a folder without a study a report ranks."""

import re
from pathlib import Path
from typing import Any

from report_studies import make_run

from sweeps.report.page import build_page
from sweeps.report.read_study import read_report


def of_loss(folder: Path, loss: float, **more: Any) -> None:
    make_run(folder, {"objective": "val/log_loss", "val/log_loss": loss, **more})


def test_the_best_run_of_a_loss_has_the_smallest(tmp_path: Path) -> None:
    for name, loss in (("a", 0.5), ("b", 0.2), ("c", 0.9), ("d", float("nan"))):
        of_loss(tmp_path / "runs" / name, loss)
    report = read_report(str(tmp_path / "runs"))
    assert report.directions == ["minimize"]
    assert [report.by_number[number].title for number in report.best_first] == ["b", "a", "c"]
    assert "lower is better" in build_page(report)


def test_runs_of_another_objective_are_left_out(tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "a", {"val/macro_f1": 0.9})
    of_loss(tmp_path / "runs" / "b", 0.5)
    of_loss(tmp_path / "runs" / "c", 0.3)
    report = read_report(str(tmp_path / "runs"))
    assert [trial.title for trial in report.trials] == ["b", "c"] and report.best and report.best.title == "c"
    assert report.left_out == [f"{tmp_path}/runs/a was judged by val/macro_f1."]
    assert f"1 run is left out: {tmp_path}/runs/a was judged by val/macro_f1." in re.sub(
        r"\s+", " ", build_page(report)
    )


def test_runs_of_another_survey_are_left_out(tmp_path: Path) -> None:
    """Scores on other spectra are no better or worse; that of the test is the highest."""
    easy = {"class_names": ["star", "qso"], "fingerprint": "g"}
    for name, score, more in (("a", 0.9, {"survey": easy}), ("b", 0.5, {}), ("c", 0.7, {})):
        make_run(tmp_path / "runs" / name, {"val/macro_f1": score, **more})
    report = read_report(str(tmp_path / "runs"))
    assert report.left_out == [f"{tmp_path}/runs/a is of another survey."] and report.best and report.best.title == "c"

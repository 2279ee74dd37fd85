"""A sweep ends with its report, and a failed report does not fail the sweep."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from loop_runs import FLOATS, Call, sweep
from search_runs import run

from sweeps import sweeper
from sweeps.report import command


def test_a_sweep_ends_with_its_report(tmp_path: Path) -> None:
    output = run(tmp_path / "sweep", "sweep.num_trials=2", "sweep.report=true")
    assert f"report: {tmp_path / 'sweep' / 'report.html'}" in output
    assert "2 complete" in (tmp_path / "sweep" / "report.html").read_text()


def test_a_report_is_made_again_only_for_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def write(*_: Any, folder: Path) -> Path:
        page = folder / "report.html"
        page.touch()
        os.utime(page, (time.time() + 10,) * 2)  # making a report takes seconds
        made.append(page)
        return page

    def final(call: Call) -> float:
        (call.folder / "result.json").touch()
        return 1.0

    monkeypatch.setattr(command, "write_report", write)
    study = sweep(tmp_path, FLOATS, final, num_trials=2, search_overrides=["score_test=false"]).study
    ends_s = [trial.datetime_complete.timestamp() for trial in study.trials() if trial.datetime_complete]
    result = next(path for path in tmp_path.glob("*/result.json") if study.has_final(int(path.parent.name)))

    def makes(has_news: bool = False) -> bool:
        num = len(made)
        sweeper._report(study, tmp_path, has_news)
        return len(made) > num

    assert makes()
    assert not makes() and makes(has_news=True) and not makes()
    os.utime(tmp_path / "report.html", (max(ends_s) - 1,) * 2)  # a command was killed before it wrote the report
    assert makes() and not makes()
    os.utime(result, (time.time() + 60,) * 2)  # the same after the last run
    assert makes()


def test_a_finished_study_prints_the_path_of_its_report(tmp_path: Path) -> None:
    page = tmp_path / "sweep" / "report.html"
    run(tmp_path / "sweep", "sweep.num_trials=1")
    page.write_text("as it was")
    assert f"report: {page}" in run(tmp_path / "sweep", "sweep.num_trials=1", "sweep.report=true").splitlines()
    assert page.read_text() == "as it was"


def test_a_failed_report_is_logged_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Path:
        raise ValueError("no good\nat all")

    class Study:
        """Stand-in for a study that no storage has."""

        name, url = "study", "journal://nowhere"

    monkeypatch.setattr(command, "write_report", broken)
    sweeper._report(Study(), tmp_path, has_news=True)  # type: ignore[arg-type]  # no whole study
    assert capsys.readouterr().out == "The report could not be written: ValueError: no good\n"

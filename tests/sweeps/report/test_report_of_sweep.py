"""A sweep ends with its report, and a failed report does not fail the sweep."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from loop_runs import FLOATS, Call, sweep
from search_runs import run

from sweeps.report import after_sweep, command, own_process


def test_a_sweep_ends_with_its_report_and_a_finished_study_prints_its_path(tmp_path: Path) -> None:
    page, options = tmp_path / "sweep" / "report.html", ("sweep.num_trials=2", "sweep.report=true")
    assert f"report: {page}" in run(tmp_path / "sweep", *options)
    assert "2 complete" in page.read_text()
    page.write_text("as it was")
    assert f"report: {page}" in run(tmp_path / "sweep", *options).splitlines()
    assert page.read_text() == "as it was"


def test_a_report_is_made_again_only_for_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def write(_name: str, _url: str, folder: Path) -> Path:
        page = folder / "report.html"
        page.touch()
        os.utime(page, (time.time() + 10,) * 2)  # making a report takes seconds
        made.append(page)
        return page

    def final(call: Call) -> float:
        (call.folder / "result.json").touch()
        return 1.0

    monkeypatch.setattr(after_sweep, "write_in_own_process", write)
    study = sweep(tmp_path, FLOATS, final, num_trials=2, search_overrides=["score_test=false"]).study
    ends_s = [trial.datetime_complete.timestamp() for trial in study.trials() if trial.datetime_complete]
    result = next(path for path in tmp_path.glob("*/result.json") if study.has_final(int(path.parent.name)))

    def makes(has_news: bool = False) -> bool:
        num = len(made)
        after_sweep.write_after_sweep(study, tmp_path, has_news)
        return len(made) > num

    assert makes()
    assert not makes() and makes(has_news=True) and not makes()
    os.utime(tmp_path / "report.html", (max(ends_s) - 1,) * 2)  # a command was killed before it wrote the report
    assert makes() and not makes()
    (tmp_path / "ensemble").mkdir()
    (tmp_path / "ensemble" / "result.json").touch()  # that the command has made of a finished study
    os.utime(tmp_path / "ensemble" / "result.json", (time.time() + 15,) * 2)
    assert makes()
    os.utime(result, (time.time() + 60,) * 2)  # the same after the last run
    assert makes()


@pytest.mark.slow
def test_the_controller_does_not_make_the_report_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would keep the memory that figures and spectra take."""
    monkeypatch.setattr(command, "write_report", None)
    study = sweep(tmp_path, FLOATS, lambda _call: 1.0, num_trials=2).study
    after_sweep.write_after_sweep(study, tmp_path, has_news=True)
    assert "2 complete" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        pytest.param(None, "LookupError: ", marks=pytest.mark.slow),
        ("import os; os.kill(os.getpid(), 9)", "its process was ended by SIGKILL"),
        ("raise SystemExit(3)", "its process ended with exit code 3"),
        ("print('ValueError: no good'); raise SystemExit(1)", "ValueError: no good"),
    ],
)
def test_a_failed_report_is_a_warning_that_says_how_to_make_it(
    start: str | None,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if start is not None:
        monkeypatch.setattr(own_process, "START", start)
    folder = tmp_path / "my sweep"
    study = SimpleNamespace(name="study", url=f"journal:///{folder}/study.journal")
    after_sweep.write_after_sweep(study, folder, has_news=True)  # type: ignore[arg-type]  # no whole study
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.startswith(f"The report could not be written ({reason}")
    assert record.message.endswith(f"). To make it again: python -m sweeps.report '{folder}'")

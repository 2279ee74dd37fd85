"""A sweep ends with its report, and never because of it."""

from pathlib import Path
from typing import Any

import pytest
from search_runs import run

from sweeps import sweeper
from sweeps.report import command


def test_a_sweep_ends_with_its_report(tmp_path: Path) -> None:
    output = run(tmp_path / "sweep", "sweep.num_trials=2", "sweep.report=true")
    assert f"report: {tmp_path / 'sweep' / 'report.html'}" in output
    assert "2 complete" in (tmp_path / "sweep" / "report.html").read_text()


def test_a_report_that_fails_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Path:
        raise ValueError("no good\nat all")

    class Study:
        """Stands in for a study that no storage has."""

        name, url = "study", "journal://nowhere"

    monkeypatch.setattr(command, "write_report", broken)
    sweeper._report(Study(), tmp_path)  # type: ignore[arg-type]
    assert capsys.readouterr().out == "The report could not be written: ValueError: no good\n"

"""The options of the report's command line that concern the spectra."""

import subprocess
import sys
from pathlib import Path

import pytest
from report_runs import add_network, make_run, make_survey, read_data

from sweeps.report.command import main

TELL = "import sys; from sweeps.report.command import main; main(sys.argv[1:]); print('torch' in sys.modules)"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    survey = make_survey(tmp_path / "survey", 6, 50)
    run = make_run(tmp_path / "run", survey, [0, 1, 2, 2, 1, 0], [0.9] * 6)
    add_network(run, survey)
    return run.path


@pytest.mark.slow
def test_without_saliency_torch_is_not_imported(run: Path) -> None:
    command = [sys.executable, "-c", TELL, str(run), "--no-saliency"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.split() == [str(run / "report.html"), "False"]
    assert not read_data((run / "report.html").read_text("utf-8"))["spectra"]["hasSaliency"]


def test_the_number_of_spectra_is_the_one_asked_for(run: Path) -> None:
    assert main([str(run), "--max-spectra", "2"]) == 0
    data = read_data((run / "report.html").read_text("utf-8"))["spectra"]
    assert len(data["spectra"]) == 2 and data["hasSaliency"]
    assert main([str(run), "--max-spectra", "0"]) == 0
    assert "spectra" not in read_data((run / "report.html").read_text("utf-8"))


@pytest.mark.parametrize("number", ["-1", "1.5", "many"])
def test_a_wrong_number_of_spectra_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", f"--max-spectra={number}"])
    assert ended.value.code == 2
    assert f"argument --max-spectra: {number} is not a whole number from 0 on" in capsys.readouterr().err

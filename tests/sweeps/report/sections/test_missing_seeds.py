"""The summary of a trial of which some seeds are not there any more."""

import shutil
from pathlib import Path

from report_studies import Made, make_report

from sweeps.report.read_study import read_report
from sweeps.report.sections import summary
from sweeps.study.attributes import SEEDS, SPREAD


def test_a_mean_says_how_many_of_the_seeds_it_is_of(tmp_path: Path) -> None:
    """A folder was deleted, a result too, and another result cannot be read."""
    runs = [{"result": {"val/macro_f1": f1}} for f1 in (0.375, 0.625, 0.5, 0.75, 0.25)]
    trial = Made({"x": 0.1}, [0.5], attributes={SEEDS: [0, 1, 2, 3, 4], SPREAD: [0.2]}, runs=runs)
    folder = tmp_path / "study"
    assert "0.5000 ± 0.1976<" in summary.section(make_report(folder, [trial])).html
    shutil.rmtree(folder / "0" / "seed-4")
    assert "0.5625 ± 0.1614 (4 of 5 seeds)<" in summary.section(read_report(str(folder))).html
    (folder / "0" / "seed-3" / "result.json").unlink()
    (folder / "0" / "seed-2" / "result.json").write_text("{")
    assert "0.5000 ± 0.1768 (2 of 5 seeds)<" in summary.section(read_report(str(folder))).html

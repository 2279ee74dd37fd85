"""Ensembles among runs, in `sweeps.compare` and in the report on a folder of runs."""

import json
from pathlib import Path

import pytest
from compared_runs import make_run, predicted, shown

from sweeps.report.page import build_page
from sweeps.report.read_study import read_report
from sweeps.report.sections import side_by_side, summary


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of an average and of its first candidate, which have the same config."""
    for name, num_wrong, more in (
        ("first", 4, {"best_epoch": 12, "num_epochs": 20}),
        ("mix", 2, {"best_epoch": 0, "num_epochs": 0, "ensemble": {"members": [{"run": "first"}, {"run": "other"}]}}),
    ):
        run = make_run(tmp_path / "runs" / name, predicted(num_wrong), "width: 4")
        result = json.loads((run / "result.json").read_text())
        (run / "result.json").write_text(json.dumps(result | more))
    return tmp_path / "runs"


def test_the_config_of_an_ensemble_is_said_to_be_that_of_its_first_candidate(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = f"{runs / 'mix'} is an ensemble of 2 networks: its config is that of its first candidate."
    assert shown(capsys, runs / "mix", runs / "first").splitlines()[0] == sentence


def test_the_report_names_an_ensemble_and_has_no_epochs_of_it(runs: Path) -> None:
    report = read_report(str(runs))
    assert [trial.title for trial in report.trials] == ["first", "mix, ensemble of 2"]
    compared = side_by_side.section(report)
    assert compared is not None
    metrics = {trial["title"]: trial["metrics"] for trial in compared.data["trials"]}
    assert metrics["first"]["num_epochs"] == 20 and "num_epochs" not in metrics["mix, ensemble of 2"]
    rows = {row.split("</th>")[0]: row for row in summary.section(report).html.split('<th scope="row">')}
    assert '<td class="number">20</td>' in rows["first"]
    assert '<td class="number">0</td>' not in rows["mix, ensemble of 2"]
    assert "mix, ensemble of 2, the best" in build_page(report)

"""An ensemble of which the selection kept one network."""

import json
from dataclasses import replace
from pathlib import Path

from compared_runs import make_run, predicted
from report_studies import Made, make_report

from sweeps.report.sections import summary
from sweeps.results.run import Run
from sweeps.results.sweep_ensemble import SweepEnsemble


def test_a_single_network_is_named_and_is_no_better_ensemble(tmp_path: Path) -> None:
    """The best trial has two seeds, and the network is the better of them."""
    seeds = [make_run(tmp_path / f"seed-{k}", predicted(num)) for k, num in enumerate((1, 15))]
    result = json.loads((seeds[0] / "result.json").read_text())
    average = make_run(tmp_path / "ensemble", predicted(1))
    for members in ([seeds[0]], [seeds[0], seeds[1]]):
        made = {"ensemble": {"members": [{"run": str(path)} for path in members]}}
        (average / "result.json").write_text(json.dumps(result | made))
        ensemble = SweepEnsemble(Run(average), tuple(map(Run, seeds)), "trial 1")
        report = make_report(tmp_path / f"study-{len(members)}", [Made({"x": 1}, [0.5])])
        page = summary.section(replace(report, ensemble=ensemble)).html
        is_single = len(members) == 1
        assert (f"The selection kept one network, {seeds[0]}: nothing is averaged." in ensemble.lines()) == is_single
        assert any("the ensemble is better" in line for line in ensemble.lines()) != is_single
        assert ("nothing is averaged" in page) == is_single
        assert ("The ensemble is better" in page) != is_single

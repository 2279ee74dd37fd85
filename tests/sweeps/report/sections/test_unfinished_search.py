"""The report of a study without a complete trial."""

from pathlib import Path

import pytest
from report_studies import Made, figure, make_report, names, trace

from sweeps.report.sections import search, summary
from sweeps.study.attributes import PAUSED, TOTAL

STEPS = {1: 0.1, 2: 0.2}
NOT_FINISHED = "The study is not finished"


def test_trials_that_were_all_pruned_have_their_curves(tmp_path: Path) -> None:
    report = make_report(tmp_path / "study", [Made({"x": n}, state="PRUNED", steps=STEPS) for n in range(2)])
    section = search.section(report)
    assert section is not None
    assert names(section) == ["search-curves"] and "there is nothing to compare" in section.html
    assert NOT_FINISHED not in summary.section(report).html


def test_a_study_without_curves_has_no_figure(tmp_path: Path) -> None:
    report = make_report(tmp_path / "study", [Made({"x": n}, state="PRUNED") for n in range(2)])
    assert names(search.section(report)) == []


@pytest.mark.parametrize("state", ["paused", "running"])
def test_paused_trials_are_named_and_will_continue(state: str, tmp_path: Path) -> None:
    noted = {PAUSED: 1} if state == "paused" else {}
    trials = [Made({"x": n}, state="RUNNING", steps=STEPS, attributes=noted) for n in range(2)]
    report = make_report(tmp_path / "study", trials)
    assert [trial.state for trial in report.trials] == [state] * 2
    assert trace(figure(search.section(report), "search-curves"), "running, paused or failed")
    assert NOT_FINISHED in summary.section(report).html


@pytest.mark.parametrize(("noted", "asked"), [({TOTAL: 20}, ", of 20 asked for"), ({}, "")])
def test_a_study_without_a_trial_says_so(noted: dict[str, int], asked: str, tmp_path: Path) -> None:
    """Its command was stopped before the first one, or no job could start."""
    html = summary.section(make_report(tmp_path / "study", [], noted=noted)).html
    assert f"Study <b>study</b> has no trial yet{asked}." in html and "judged" not in html.split("Judged by")[0]

"""Trials outside the constraints, which may have better scores than the best one, in the figures and the comparison."""

from pathlib import Path

import pytest
from report_studies import trace

from sweeps.report.figures.search_cost import cost_figures, pareto_figure
from sweeps.report.figures.search_history import history
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.section import Figure
from sweeps.report.sections import side_by_side


def reported(number: int, values: tuple[float, float], seconds: float, is_within: bool) -> ReportedTrial:
    job = {"seed_index": 0, "controller": "c", "began_s": 0.0, "ended_s": seconds}
    return ReportedTrial(
        number, "complete", values, {"a": number}, [], "", None, None, {}, {"jobs": [job]}, (), is_within
    )


def searched(is_within: bool) -> Report:
    """Trial 1 is the best in everything."""
    trials = [reported(0, (0.6, 1.0), 30.0, True), reported(1, (0.9, 0.5), 10.0, is_within)]
    trials.append(reported(2, (0.7, 0.9), 20.0, True))
    best_first = [2, 0] if not is_within else [1, 2, 0]
    return Report("x", Path(), ["val/macro_f1", "val/log_loss"], ["maximize", "minimize"], trials, best_first)


def figures(report: Report) -> list[Figure]:
    return [*cost_figures(report, report.trials), pareto_figure(report, report.trials), history(report)]


def test_trials_outside_the_constraints_have_marks_of_their_own() -> None:
    for figure in figures(searched(is_within=False)):
        assert len(trace(figure.content, "outside the constraints")["x"]) == 1
        assert "within the constraints" in figure.label
    assert trace(figures(searched(is_within=False))[-1].content, "complete")["x"] == [0, 2]


def test_without_such_trials_no_constraint_is_named() -> None:
    for figure in figures(searched(is_within=True)):
        assert "outside the constraints" not in [trace["name"] for trace in figure.content["data"]]
        assert "constraints" not in figure.label


@pytest.mark.parametrize(("is_within", "state"), [(True, "complete"), (False, "complete, outside the constraints")])
def test_the_comparison_says_which_trials_are_outside(is_within: bool, state: str) -> None:
    """In bold stands the best of those whose state is "complete"."""
    section = side_by_side.section(searched(is_within))
    assert section is not None
    assert {trial["number"]: trial["state"] for trial in section.data["trials"]} == {
        0: "complete",
        1: state,
        2: "complete",
    }

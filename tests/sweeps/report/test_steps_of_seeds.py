"""What the report calls the steps of a trial: epochs, or with `sweep.pruner=wilcoxon` seeds or folds."""

from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from loop_runs import sweep
from report_runs import make_report as report_of
from report_runs import make_trial
from report_studies import F1, Made, make_report

from sweeps.report.page import build_page
from sweeps.report.read_study import read_report
from sweeps.report.sections import search, side_by_side
from sweeps.study.attributes import IDENTITY, SEED_VALUES


@pytest.mark.parametrize(("seed_key", "word"), [("seed", "seed"), ("split.fold", "fold")])
def test_curves_of_wilcoxon_are_by_seed_or_by_fold(seed_key: str, word: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"seeds": list(range(12)), "seed_key": seed_key, "pruner": "wilcoxon", "sampler": "grid"}
    space = {"x": [0, 100]}
    folder = tmp_path / "study"
    sweep(folder, space, lambda call: call.values["x"] + call.values[seed_key] / 1000, num_slots=1, **options)
    report = read_report(str(folder))
    assert [trial.state for trial in report.trials] == ["complete", "pruned"]
    section, compared = search.section(report), side_by_side.section(report)
    assert section is not None and compared is not None
    figures = {figure.name: figure for figure in section.figures}
    curves = figures["search-curves"]
    assert curves.label == f"Each line is a trial by {word}; where grey ends, the trial was pruned."
    assert curves.content["layout"]["xaxis"]["title"]["text"] == word
    legend = [line["name"] for line in figures["search-history"].content["data"]]
    assert f"pruned, at its last {word}" in legend
    assert f"<h3>Scores by {word}</h3>" in section.html and "epoch" not in section.html
    assert compared.data["step"] == word
    assert compared.data["trials"][0]["steps"] == list(range(12))


def test_curves_of_a_first_seed_are_by_epoch(tmp_path: Path) -> None:
    """A trial of one epoch too, whose first seed has that score."""
    values = {"10": [0.3], "11": [0.5]}
    steps = ({1: 0.2, 2: 0.3}, {1: 0.3})
    trials = [Made({"x": k}, [0.4], steps=s, attributes={SEED_VALUES: values}) for k, s in enumerate(steps)]
    identity = {"space": {}, "objectives": [F1], "fixed": [], "seeds": [10, 11], "seed_key": "seed"}
    report = make_report(tmp_path / "study", trials, noted={IDENTITY: identity})
    assert not report.steps_are_seeds and report.step == "epoch"


def test_the_comparison_names_the_steps(browser: Browser, tmp_path: Path) -> None:
    trials = [make_trial(0, 0.6), make_trial(1, 0.5), make_trial(2, 0.4, steps={})]
    path = tmp_path / "report.html"
    path.write_text(build_page(report_of(tmp_path, trials, steps_are_seeds=True)), encoding="utf-8")
    browser.open(path)
    browser.draw("compare-plot")
    plot = "document.getElementById('compare-plot')"
    assert browser.js(f"return {plot}.layout.xaxis.title.text") == "seed"
    assert browser.js(f"return {plot}.data[0].hovertemplate") == "%{text}, seed %{x}: %{y}<extra></extra>"
    assert "by seed of" in browser.js(f"return {plot}.getAttribute('aria-label')")
    browser.click("#compare-list input[value='2']")
    assert browser.find("#compare-note").text == "No seeds were reported by trial 2."

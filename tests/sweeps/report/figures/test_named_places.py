"""Bars of the search whose names are equal as they are shown: each has a place of its own."""

from pathlib import Path

import numpy as np
import pytest
from report_studies import Made, figure, make_report

from sweeps.report.figures.search_importance import importance_figure
from sweeps.report.sections import search


def test_tenths_of_trials_with_the_same_rounded_scores_are_bars_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    trials = [Made({"fractions": rng.dirichlet(np.ones(4)).tolist()}, [0.905 + n * 1e-6]) for n in range(50)]
    content = figure(search.section(make_report(tmp_path / "study", trials)), "search-simplex-0")
    ticks = content["layout"]["xaxis"]
    assert ticks["ticktext"] == ["0.905<br>to 0.905"] * 10
    assert ticks["tickvals"] == list(range(10)) and all(bars["x"] == ticks["tickvals"] for bars in content["data"])
    assert np.sum([bars["y"] for bars in content["data"]], 0) == pytest.approx(1, abs=1e-3)


def test_axes_whose_names_end_alike_have_a_bar_each(tmp_path: Path) -> None:
    end = "encoder.blocks.attention.num_heads"
    report = make_report(tmp_path / "study", [Made({"x": 1}, [0.5])])
    content = importance_figure(report, {f"first.{end}": 0.75, f"second.{end}": 0.25}).content
    assert len(set(content["layout"]["yaxis"]["ticktext"])) == 1
    assert content["data"][0]["y"] == content["layout"]["yaxis"]["tickvals"] == [0, 1]

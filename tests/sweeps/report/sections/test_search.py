"""The search: history, importances, axes, shares and costs, against known answers."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_studies import CLASSES, Made, figure, make_report, names, trace

from sweeps.report.figures.columns import columns_of, shares_of
from sweeps.report.figures.scores import complete
from sweeps.report.figures.search_importance import importances
from sweeps.report.model import Report
from sweeps.report.sections import search


def random_report(folder: Path, num: int, score: Any, seed: int = 0) -> Report:
    """Trials over a number on a log scale, a choice, a list and shares."""
    space = {
        "lr": {"low": 1e-4, "high": 1e-1, "log": True},
        "kind": ["a", "b", "c"],
        "sizes": {"type": "list", "min_length": 1, "max_length": 3, "element": [1, 2, 3, 4]},
        "shares": {"type": "simplex", "size": 3},
    }
    rng = np.random.default_rng(seed)
    trials = []
    for _ in range(num):
        values = {
            "lr": float(10 ** rng.uniform(-4, -1)),
            "kind": str(rng.choice(["a", "b", "c"])),
            "sizes": rng.integers(1, 5, rng.integers(1, 4)).tolist(),
            "shares": rng.dirichlet(np.ones(3)).round(4).tolist(),
        }
        trials.append(Made(values, [score(values)], takes_s=float(rng.uniform(5, 50))))
    trials[0].runs = [{"result": {}}]
    return make_report(folder, trials, space)


def test_the_history_marks_the_state_of_each_trial(tmp_path: Path) -> None:
    trials = [
        Made({"x": 1}, [0.5]),
        Made({"x": 2}, state="PRUNED", steps={1: 0.1, 3: 0.3}),
        Made({"x": 3}, [0.4]),
        Made({"x": 4}, state="FAIL", attributes={"reason": "out of <b>memory</b>"}),
        Made({"x": 5}, [0.7]),
        Made({"x": 6}, state="RUNNING"),
    ]
    content = figure(search.section(make_report(tmp_path / "study", trials)), "search-history")
    assert (trace(content, "complete")["x"], trace(content, "complete")["y"]) == ([0, 2, 4], [0.5, 0.4, 0.7])
    pruned, failed = trace(content, "pruned, at its last epoch"), trace(content, "failed (at the lower edge)")
    assert (pruned["x"], pruned["y"]) == ([1], [0.3])
    assert failed["x"] == [3] and "out of &lt;b&gt;memory" in failed["text"][0]
    assert (trace(content, "best so far")["x"], trace(content, "best so far")["y"]) == ([0, 4, 5], [0.5, 0.7, 0.7])


def test_the_best_so_far_of_a_loss_decreases(tmp_path: Path) -> None:
    trials = [Made({"x": x}, [value]) for x, value in enumerate([0.5, 0.7, 0.2])]
    report = make_report(tmp_path / "study", trials, objectives=["train/loss"], directions=["minimize"])
    assert trace(figure(search.section(report), "search-history"), "best so far")["y"] == [0.5, 0.2, 0.2]


@pytest.mark.parametrize("axis", ["lr", "kind", "sizes", "shares"])
def test_the_axis_that_decides_the_score_is_the_most_important(axis: str, tmp_path: Path) -> None:
    def noise(values: dict[str, Any]) -> float:
        """Without it, many trials would tie."""
        return float(values["lr"] * 1e6 % 1) / 100

    scores = {
        "lr": lambda v: -((math.log10(v["lr"]) + 2) ** 2),
        "kind": lambda v: {"a": 0.0, "b": 1.0, "c": 0.1}[v["kind"]] + noise(v),
        "sizes": lambda v: float(len(v["sizes"])) + noise(v),
        "shares": lambda v: -((v["shares"][1] - 0.7) ** 2),
    }
    found = importances(random_report(tmp_path / "study", 120, scores[axis]))
    assert next(iter(found)) == axis and set(found) == {"lr", "kind", "sizes", "shares"}
    assert sum(found.values()) == pytest.approx(1)


def test_few_trials_or_equal_scores_give_no_importances(tmp_path: Path) -> None:
    assert importances(random_report(tmp_path / "few", 9, lambda v: v["lr"])) == {}
    assert importances(random_report(tmp_path / "same", 30, lambda v: 0.5)) == {}


def test_axes_are_converted_to_numbers(tmp_path: Path) -> None:
    report = random_report(tmp_path / "study", 40, lambda v: v["lr"])
    columns = {column.name: column for column in columns_of(report, complete(report))}
    shares = [f"shares: {name}" for name in CLASSES]
    assert list(columns) == ["lr", "kind", "sizes: length", "sizes: mean", *shares]
    for trial in report.trials:
        n, values = trial.number, trial.configuration
        assert columns["lr"].values[n] == values["lr"] and columns["lr"].is_log
        assert ["a", "b", "c"][int(columns["kind"].values[n])] == values["kind"]
        assert columns["sizes: mean"].values[n] == pytest.approx(np.mean(values["sizes"]))
        assert [columns[name].values[n] for name in shares] == values["shares"]


def test_a_search_shows_every_figure(tmp_path: Path) -> None:
    section = search.section(random_report(tmp_path / "study", 60, lambda v: v["lr"]))
    slices = [f"search-slice-{place}" for place in range(7)]
    expected = ["search-history", "search-importance", "search-parallel", "search-simplex-3", *slices]
    assert names(section) == [*expected, "search-cost-seconds"]
    ternary = figure(section, "search-simplex-3")["data"][0]
    assert ternary["type"] == "scatterternary" and len(ternary["a"]) == 60
    sums = [sum(corners) for corners in zip(ternary["a"], ternary["b"], ternary["c"], strict=True)]
    assert sums == pytest.approx([1] * 60, abs=2e-4)


def test_shares_of_four_classes_are_drawn_by_rank(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shares = [rng.dirichlet(np.ones(4)).tolist() for _ in range(50)]
    # The more of the first class, the better.
    trials = [Made({"fractions": share}, [share[0]]) for share in shares]
    content = figure(search.section(make_report(tmp_path / "study", trials)), "search-simplex-0")
    assert [len(bars["y"]) for bars in content["data"]] == [10] * 4
    assert np.sum([bars["y"] for bars in content["data"]], 0) == pytest.approx(1, abs=1e-3)
    first = content["data"][0]["y"]
    assert first == sorted(first, reverse=True)
    assert first[0] == pytest.approx(np.mean(sorted((share[0] for share in shares), reverse=True)[:5]), rel=1e-4)


@pytest.mark.parametrize(
    ("values", "is_one"),
    [
        ([[0.5, 0.5], [0.1, 0.9]], True),
        ([[1, 2]], False),
        ([[0.5, 0.5], [0.2, 0.3, 0.5]], False),
        ([], False),
        ([{"a": 0.5, "b": 0.5}, {"b": 0.1, "a": 0.9}], True),
        ([{"a": 0.5, "b": 0.5}, {"a": 0.1, "c": 0.9}], False),
        ([{"a": 0.5, "b": 0.5}, [0.1, 0.9]], False),
        ([{"name": "focal", "gamma": 1.5}], False),
    ],
)
def test_values_that_sum_to_one_count_as_shares(values: list[Any], is_one: bool) -> None:
    assert (shares_of(values, []) is not None) == is_one


def test_shares_by_class_have_the_names_and_the_order_of_the_search(tmp_path: Path) -> None:
    """As with lists, whose names come from the runs; a study stores the mapping in alphabetic order."""
    rng = np.random.default_rng(0)
    for classes in (["star", "unknown", "galaxy", "qso"], ["star", "galaxy", "qso"]):
        rows = [rng.dirichlet(np.ones(len(classes))).round(4).tolist() for _ in range(30)]
        named = [Made({"fractions": dict(sorted(zip(classes, row, strict=True)))}, [row[0]]) for row in rows]
        space = {"fractions": {"type": "simplex", "classes": classes}}
        report = make_report(tmp_path / str(len(classes)), named, space=space)
        columns = columns_of(report, complete(report))
        assert [column.name for column in columns] == [f"fractions: {name}" for name in classes]
        assert [column.values[3] for column in columns] == rows[3]
        content = figure(search.section(report), "search-simplex-0")
        if len(classes) == 3:
            corners = [content["layout"]["ternary"][f"{corner}axis"]["title"]["text"] for corner in "abc"]
            assert corners == classes
            assert content["data"][0]["a"] == pytest.approx(sorted(row[0] for row in rows), abs=1e-4)
        else:
            assert [bars["name"] for bars in content["data"]] == classes
            assert content["data"][0]["y"] == sorted(content["data"][0]["y"], reverse=True)


def test_two_objectives_are_drawn_against_each_other(tmp_path: Path) -> None:
    values = [[0.5, 3.0], [0.6, 5.0], [0.4, 4.0]]
    trials = [Made({"x": n}, value) for n, value in enumerate(values)]
    section = search.section(
        make_report(tmp_path / "study", trials, None, ["val/macro_f1", "time/s"], ["maximize", "minimize"])
    )
    on_front = trace(figure(section, "search-pareto"), "Pareto front")
    assert (on_front["x"], on_front["y"], on_front["line"]["shape"]) == ([0.6, 0.5], [5.0, 3.0], "hv")


def test_an_axis_that_some_trials_lack_is_drawn(tmp_path: Path) -> None:
    trials = [Made({"loss": "ce"} if n % 2 else {"loss": "focal", "gamma": n / 10}, [n / 20]) for n in range(20)]
    section = search.section(make_report(tmp_path / "study", trials))
    gamma = next(d for d in figure(section, "search-parallel")["data"][0]["dimensions"] if d["label"] == "gamma")
    assert gamma["ticktext"][0] == "without" and gamma["values"].count(gamma["range"][0]) == 10
    assert min(v for n, v in enumerate(gamma["values"]) if n % 2 == 0) == 0 > gamma["range"][0]


def test_scores_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    trials = [Made({"x": n}, [value]) for n, value in enumerate([0.5, math.inf, 0.6])]
    trials.append(Made({"x": 3}, state="PRUNED", steps={1: math.nan}))
    section = search.section(make_report(tmp_path / "study", trials))
    assert section is not None
    assert trace(figure(section, "search-history"), "complete")["x"] == [0, 2]
    json.dumps([figure.content for figure in section.figures], allow_nan=False)


def dimension(report: Report, label: str) -> dict[str, Any]:
    dimensions = figure(search.section(report), "search-parallel")["data"][0]["dimensions"]
    found: dict[str, Any] = next(one for one in dimensions if one["label"] == label)
    return found


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([4, 8, 16], ["4", "8", "16"]),
        ([0.1, 0.5, 0.9], ["0.1", "0.5", "0.9"]),
        ([0.1, 0.11, 0.9], ["0.1", "0.3", "0.5", "0.7", "0.9"]),  # two of three would overlap
        ([1, 2, 1_000_000], ["1", "250001", "500000", "750000", "1000000"]),
        ([0.123456 * k for k in range(12)], ["0", "0.34", "0.679", "1.02", "1.36"]),
    ],
)
def test_ticks_of_parallel_coordinates_do_not_overlap(values: list[float], ticks: list[str], tmp_path: Path) -> None:
    report = make_report(tmp_path / "study", [Made({"x": x}, [0.123456 + n]) for n, x in enumerate(values)])
    assert dimension(report, "x")["ticktext"] == ticks
    assert all(len(tick) <= 5 for tick in dimension(report, "val/macro_f1")["ticktext"])


def test_a_long_name_is_shortened_to_its_end(tmp_path: Path) -> None:
    name = "model.encoder.blocks.bottleneck.attention.num_heads"
    report = make_report(tmp_path / "study", [Made({name: n}, [n]) for n in (1, 2, 3)])
    assert dimension(report, "…coder.blocks.bottleneck.attention.num_heads")
    title = figure(search.section(report), "search-slice-0")["layout"]["xaxis"]["title"]["text"]
    assert title == "…ottleneck.attention.num_heads" and len(title) == 30


def test_trials_of_a_single_epoch_are_dots_among_the_curves(tmp_path: Path) -> None:
    trials = [
        Made({"x": 1}, [0.5], steps={1: 0.3, 2: 0.5}),
        Made({"x": 2}, state="PRUNED", steps={1: 0.2}),
        Made({"x": 3}, state="PRUNED", steps={1: 0.1}),
    ]
    section = search.section(make_report(tmp_path / "study", trials))
    content = figure(section, "search-curves")
    dots = trace(content, "pruned")
    assert (dots["mode"], dots["x"], dots["y"]) == ("markers", [1, 1], [0.2, 0.1])
    assert content["layout"]["xaxis"]["dtick"] == 1
    assert section is not None
    assert next(f.label for f in section.figures if f.name == "search-curves") == (
        "Each line is a trial by epoch; a dot one that reported a single epoch; where grey ends, the trial was pruned."
    )


def test_the_caption_of_curves_names_only_what_is_drawn(tmp_path: Path) -> None:
    trials = [Made({"x": n}, [0.5], steps=dict.fromkeys(range(1, 41), 0.5)) for n in range(3)]
    section = search.section(make_report(tmp_path / "study", trials))
    assert section is not None
    assert next(f.label for f in section.figures if f.name == "search-curves") == "Each line is a trial by epoch."
    assert "dtick" not in figure(section, "search-curves")["layout"]["xaxis"]
    assert figure(section, "search-history")["layout"]["xaxis"]["dtick"] == 1


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (4, 24, ["5", "10", "20"]),
        (2e-4, 1e-2, ["0.0003", "0.001", "0.003", "0.01"]),
        (1e-8, 1, ["1e-08", "1e-06", "0.0001", "0.01", "1"]),
        (6, 7, ["6"]),
    ],
)
def test_ticks_of_a_log_axis_are_round_numbers(low: float, high: float, ticks: list[str], tmp_path: Path) -> None:
    space = {"x": {"low": low, "high": high, "log": True}}
    trials = [Made({"x": x}, [n]) for n, x in enumerate((low, high))]
    section = search.section(make_report(tmp_path / "study", trials, space))
    assert figure(section, "search-slice-0")["layout"]["xaxis"]["ticktext"] == ticks


def luminance(colour: str) -> float:
    """Relative luminance of a hexadecimal colour, as the contrast rules of the web define it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_parallel_coordinates_can_be_read(tmp_path: Path) -> None:
    """Whole names, lines with a contrast of 3 : 1 on white, and room between the axes in any window."""
    names = ["schedule.label_smoothing", "inputs.transform.clip_sigma", *(f"axis{k}" for k in range(7))]
    trials = [Made({name: float(n + k) for k, name in enumerate(names)}, [float(n)]) for n in (2, 0, 1)]
    section = search.section(make_report(tmp_path / "study", trials))
    assert section is not None
    drawn = next(drawn for drawn in section.figures if drawn.name == "search-parallel")
    trace = drawn.content["data"][0]
    assert set(names) <= {dimension["label"] for dimension in trace["dimensions"]}
    assert all(1.05 / (luminance(colour) + 0.05) >= 3 for _, colour in trace["line"]["colorscale"])
    assert trace["line"]["color"] == [0, 1, 2]  # the best is drawn last
    assert drawn.least_width_px >= 900 and f"min-width: {drawn.least_width_px}px" in section.html


def test_which_axes_matter_most_is_not_claimed_before_it_is_known(tmp_path: Path) -> None:
    trials = [Made({f"axis{k}": float(n + k) for k in range(12)}, [float(n)]) for n in range(3)]
    section = search.section(make_report(tmp_path / "study", trials))
    assert section is not None and "The first 9 of 12 are drawn." in section.html and "matter most" not in section.html

"""The data in the report for comparing trials."""

import json
from pathlib import Path
from typing import Any

import pytest
from report_runs import make_report, make_run, make_survey, make_trial

from sweeps.report.page import embedded
from sweeps.report.read_study import read_report
from sweeps.report.sections.side_by_side import section


def compared_data(tmp_path: Path, *trials: Any, **further: Any) -> dict[str, Any]:
    made = section(make_report(tmp_path, trials, **further))
    assert made is not None
    data: dict[str, Any] = made.data
    return data


def test_the_best_trials_come_first_and_waiting_ones_are_left_out(tmp_path: Path) -> None:
    pruned = make_trial(2, 0.9, state="pruned", is_candidate=False, reason="pruned at step 2")
    waiting = make_trial(4, None, state="waiting")
    data = compared_data(tmp_path, make_trial(0, 0.1), make_trial(1, 0.3), pruned, make_trial(3, 0.2), waiting)
    assert [trial["number"] for trial in data["trials"]] == [1, 3, 0, 2]
    assert data["chosen"] == [1, 3]
    assert data["trials"][3]["reason"] == "pruned at step 2"


def test_the_reference_is_shown_next_to_the_best(tmp_path: Path) -> None:
    trials = [make_trial(0, 0.1), make_trial(1, 0.3), make_trial(2, 0.2)]
    assert compared_data(tmp_path, *trials, reference_number=0)["chosen"] == [1, 0]


def test_configurations_and_numbers_have_five_digits(tmp_path: Path) -> None:
    chosen = {"lr": 0.00123456789, "dilations": [1, 2], "fractions": [0.123456789, 0.5], "loss": "focal", "none": None}
    data = compared_data(tmp_path, make_trial(0, 0.123456789, configuration=chosen), make_trial(1, 0.1))
    trial = data["trials"][0]
    assert trial["configuration"] == {
        "lr": "0.0012346",
        "dilations": "[1,2]",
        "fractions": "[0.12346,0.5]",
        "loss": "focal",
        "none": "null",
    }
    assert trial["score"] == 0.12346 and trial["steps"] == [1, 2] and trial["curve"] == [0.061728, 0.12346]


def test_metrics_are_means_over_seeds_without_the_test_split(tmp_path: Path) -> None:
    survey = make_survey(tmp_path / "survey", 6, 50)
    runs = [
        make_run(tmp_path / f"seed-{seed}", survey, [0] * 6, [0.9] * 6, **{"val/f1/qso": value, "num_parameters": 7})
        for seed, value in ((1, 0.25), (2, 0.5))
    ]
    trial = make_trial(0, 0.6, runs=tuple(runs), attributes={"spread": [0.01]})
    metrics = compared_data(tmp_path, trial, make_trial(1, 0.5))["trials"][0]["metrics"]
    assert metrics["val/f1/qso"] == 0.375 and metrics["num_parameters"] == 7
    assert metrics["val/macro_f1, spread of seeds"] == 0.01
    assert not [name for name in metrics if name.startswith("test/")]


def test_runs_that_no_search_made_are_compared_by_their_configs(tmp_path: Path) -> None:
    survey = make_survey(tmp_path / "survey", 6, 50)
    for name, width in (("a", 8), ("b", 16)):
        run = make_run(tmp_path / "runs" / name, survey, [0] * 6, [0.9] * 6)
        (run.path / "config.yaml").write_text(f"seed: 0\nmodel:\n  width: {width}\nrun_dir: {name}\n")
    made = section(read_report(str(tmp_path / "runs")))
    assert made is not None
    assert [trial["configuration"] for trial in made.data["trials"]] == [
        {"seed": "0", "model.width": "8"},
        {"seed": "0", "model.width": "16"},
    ]
    assert made.data["trials"][0]["curve"] == [0.5, 0.625]


def test_all_axes_of_a_search_are_listed(tmp_path: Path) -> None:
    trials = [make_trial(number, 0.5, configuration={"x": 1}) for number in range(2)]
    assert compared_data(tmp_path, *trials)["listed"] is None


def test_keys_that_are_the_same_in_all_runs_are_not_listed(tmp_path: Path) -> None:
    survey = make_survey(tmp_path / "survey", 6, 50)
    for name, width in (("a", 8), ("b", 16), ("c", 16)):
        run = make_run(tmp_path / "runs" / name, survey, [0] * 6, [0.9] * 6)
        (run.path / "config.yaml").write_text(f"seed: 0\nmodel:\n  width: {width}\n{'extra: 1' * (name == 'c')}\n")
    made = section(read_report(str(tmp_path / "runs")))
    assert made is not None
    assert made.data["listed"] == ["model.width", "extra"]
    assert {trial["title"] for trial in made.data["trials"]} == {"a", "b", "c"}
    assert "3 runs, the best first" in made.html


def test_a_single_trial_is_not_compared(tmp_path: Path) -> None:
    assert section(make_report(tmp_path, [make_trial(0, 0.5)])) is None


def test_nan_and_infinity_can_be_embedded(tmp_path: Path) -> None:
    data = compared_data(tmp_path, make_trial(0, 0.5, steps={1: float("nan"), 2: float("inf")}), make_trial(1, 0.4))
    assert json.loads(embedded(data))["trials"][0]["curve"] == [None, None]


def test_a_thousand_trials_take_little_space(tmp_path: Path) -> None:
    chosen = {f"group.axis{i}": 1 / (i + 3) for i in range(12)}
    steps = {epoch: 1 / (epoch + 7) for epoch in range(1, 51)}
    trials = [make_trial(number, 1 / (number + 3), configuration=chosen, steps=steps) for number in range(1000)]
    assert len(embedded(compared_data(tmp_path, *trials))) < 1.5e6


def test_the_objective_decides_which_direction_is_better(tmp_path: Path) -> None:
    data = compared_data(tmp_path, make_trial(0, 0.5), make_trial(1, 0.4))
    assert data["better"]["val/macro_f1"] == "large" and data["better"]["val/log_loss"] == "small"
    assert "train/loss" not in data["better"]
    assert not [name for name in data["better"] if "spread" in name]


@pytest.mark.parametrize("nasty", ["</script><script>alert(1)</script>", "\u2028", "'\"&"])
def test_text_in_the_data_cannot_end_the_script_element(tmp_path: Path, nasty: str) -> None:
    data = compared_data(tmp_path, make_trial(0, 0.5, configuration={"x": nasty}, reason=nasty), make_trial(1, 0.4))
    written = embedded(data)
    assert not set(written) & set("<>&\u2028") and json.loads(written) == data

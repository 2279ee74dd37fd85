"""The summary: what was searched, the best command, and the comparison with the reference."""

import html
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loop_runs import sweep
from report_runs import make_report as report_of
from report_runs import make_trial
from report_studies import CLASSES, Made, make_report, make_run, predictions
from sklearn.metrics import f1_score

from sweeps.report.read_study import read_report
from sweeps.report.sections import summary
from sweeps.report.space_in_words import in_words
from sweeps.results.paired_difference import mean_interval, paired_differences
from sweeps.space import Space
from sweeps.study.attributes import IDENTITY, OVERRIDES, PROGRAM, REUSED_FROM, SEEDS, TOTAL

X = {"x": {"low": 0.0, "high": 1.0}}


def words(report: Any) -> str:
    """The section as a reader sees it."""
    cells = re.sub(r"</t[dh]>", " ", summary.section(report).html)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cells)))


@pytest.mark.parametrize(
    ("axis", "text"),
    [
        ({"low": 4, "high": 24, "log": True}, "a whole number from 4 to 24 on a log scale"),
        ({"low": 0.0, "high": 0.5}, "a number from 0 to 0.5"),
        ({"low": 0.0, "high": 0.6, "step": 0.2}, "one of 0, 0.2, 0.4, 0.6"),
        ({"low": 0, "high": 100, "step": 5}, "21 values from 0 to 100, evenly spaced"),
        (["adam", "adamw", None], "one of adam, adamw, null"),
        ({"type": "list", "min_length": 1, "max_length": 4, "element": [1, 2]}, "a list of 1 to 4, each one of 1, 2"),
        ({"type": "simplex", "size": 3, "minimum": 0.02}, "3 shares that sum to 1, each at least 0.02"),
        ({"type": "simplex", "classes": ["star", "qso"]}, "2 shares of star, qso that sum to 1, each at least 0"),
    ],
)
def test_domains_are_described_in_words(axis: Any, text: str) -> None:
    assert in_words(Space.read({"a": axis}).signature()["a"]) == text


def test_a_condition_is_described_in_words() -> None:
    space = Space.read({"loss": ["focal", "ce"], "loss.gamma": {"low": 1, "high": 3, "when": {"loss": "focal"}}})
    assert in_words(space.signature()["loss.gamma"]) == "a whole number from 1 to 3, only where loss is focal"


def test_runs_without_a_study_are_named_by_their_folders(tmp_path: Path) -> None:
    for name, loss in (("wide", 0.5), ("narrow", 0.25), ("deep", 0.75)):
        scores = {"objective": "val/log_loss", "val/log_loss": loss, "test/macro_f1": loss / 2, "num_parameters": 1234}
        make_run(tmp_path / "runs" / name, scores)
    text = words(read_report(str(tmp_path / "runs")))
    assert "narrow, the best" in text and "The best of 3 runs" in text
    assert re.search(r"narrow 0\.2500 0\.1250 1,234 - - wide 0\.5000 0\.2500 1,234 - - deep 0\.7500", text)


def test_the_summary_shows_the_budget_and_the_best(tmp_path: Path) -> None:
    trials = [
        Made({"x": 0.1}, [0.5], runs=[{"result": {"val/macro_f1": 0.5, "num_parameters": 1234}}]),
        Made({"x": 0.2}, [0.75], takes_s=70, runs=[{"result": {"val/macro_f1": 0.75, "num_parameters": 12345}}]),
        Made({"x": 0.3}, state="PRUNED", steps={1: 0.2}),
        Made({"x": 0.4}, state="FAIL"),
        Made({"x": 0.5}, state="RUNNING"),
    ]
    text = words(make_report(tmp_path / "study", trials, X, summary={"num_trials": 9}))
    assert "judged 4 trials of 9 asked for: 2 complete, 1 pruned, 1 failed, 1 running" in text
    assert "all jobs together took 1 min 40 s" in text
    assert "trial 1, the best" in text and "0.7500" in text and "12,345" in text
    assert "x a number from 0 to 1 0.2" in text
    assert "The best of 2 trials on validation is optimistic" in text
    assert "There is no test score" in text
    assert "The study is not finished" in text


@pytest.mark.parametrize(("noted", "total"), [({TOTAL: 9}, 9), ({TOTAL: 1}, 2), ({}, 4)])
def test_the_total_is_that_of_the_last_command_and_never_below_the_ended_trials(
    noted: dict[str, int], total: int, tmp_path: Path
) -> None:
    """sweep.json is that of an earlier command; a study of an earlier version has noted no total."""
    trials = [Made({"x": 0.1}, [0.5]), Made({"x": 0.2}, [0.6])]
    report = make_report(tmp_path / "study", trials, X, summary={"num_trials": 4}, noted=noted)
    assert f"judged 2 trials of {total} asked for" in words(report)


def test_trials_outside_the_constraints_are_counted_without_reused_results(tmp_path: Path) -> None:
    trials = [
        make_trial(0, 0.5),
        make_trial(1, 0.4, is_candidate=False),
        make_trial(2, 0.5, is_candidate=False, attributes={REUSED_FROM: 0}),
        make_trial(3, None, state="pruned", attributes={REUSED_FROM: 9}),
    ]
    assert "1 complete trial broke a constraint and cannot be the best." in words(report_of(tmp_path, trials))
    assert "broke a constraint" not in words(report_of(tmp_path, [trials[0], *trials[2:]]))
    assert "No trial is complete yet" in words(report_of(tmp_path, trials[2:]))
    assert "complete and within the constraints yet" in words(report_of(tmp_path, trials[1:]))


def test_the_command_is_that_of_the_current_best_trial(tmp_path: Path) -> None:
    trials = [Made({"x": 0.1}, [0.5]), Made({"name": "it's"}, [0.9])]
    kept = {"best_command": "python other.py x=0.1"}
    report = make_report(tmp_path / "study", trials, X, summary=kept)
    assert summary.best_command(report) == "python other.py 'name=\"it'\"'\"'s\"'"
    assert summary.best_command(make_report(tmp_path / "new", trials, X)).startswith("python run.py 'name")


def test_the_command_has_the_names_of_this_version(tmp_path: Path) -> None:
    stored = {OVERRIDES: ["loss=soft_f1", "loss.form=log_mean"]}
    report = make_report(tmp_path / "study", [Made({"loss.form": "log_mean"}, [0.5], attributes=stored)])
    assert summary.best_command(report) == "python run.py loss=soft_f1 loss.form=log_of_mean"


@pytest.mark.parametrize(("device", "more"), [("cpu", " num_threads=3"), ("cuda", "")])
def test_the_command_has_the_threads_of_a_run_on_a_cpu(device: str, more: str, tmp_path: Path) -> None:
    ran = [{"result": {"runtime": {"device": device, "num_threads": 3}}}]
    report = make_report(tmp_path / "study", [Made({"x": 0.1}, [0.5], runs=ran)], X)
    assert summary.best_command(report) == f"python run.py x=0.1{more}"
    given = {OVERRIDES: ["num_threads=2", "x=0.1"]}
    report = make_report(tmp_path / "given", [Made({"x": 0.1}, [0.5], runs=ran, attributes=given)], X)
    assert summary.best_command(report) == "python run.py num_threads=2 x=0.1"


def test_the_command_has_the_first_of_the_folds(tmp_path: Path) -> None:
    """One that the trial was not scored with would say nothing of it."""
    of_folds = {OVERRIDES: ["split.fold=0", "x=0.1"], SEEDS: [2, 3]}
    identity = {"space": {}, "objectives": ["val/macro_f1"], "fixed": [], "seed_key": "split.fold"}
    report = make_report(tmp_path / "study", [Made({"x": 0.1}, [0.5], attributes=of_folds)], noted={IDENTITY: identity})
    assert summary.best_command(report) == "python run.py x=0.1 split.fold=2"
    assert "It runs fold 2; the trial was scored with split.fold=2,3." in words(report)


def test_the_command_has_the_config_files_of_the_study(tmp_path: Path) -> None:
    noted = {PROGRAM: ["python", "run.py", "--config-dir", "my conf"]}
    report = make_report(tmp_path / "study", [Made({"x": 0.1}, [0.5])], X, noted=noted)
    assert summary.best_command(report) == "python run.py --config-dir 'my conf' x=0.1"


def seeds(*error_rates: float, first: int = 0) -> list[dict[str, Any]]:
    """Runs on the same 300 test spectra, one per seed."""
    tables = [predictions(300, error_rate, first + k) for k, error_rate in enumerate(error_rates)]
    scores = [macro_f1(table["label"], table["predicted"]) for table in tables]
    return [
        {"result": {"val/macro_f1": score - 0.1, "test/macro_f1": score}, "predictions": table}
        for score, table in zip(scores, tables, strict=True)
    ]


def macro_f1(label: Any, predicted: Any) -> float:
    return float(f1_score(label, predicted, labels=CLASSES, average="macro", zero_division=0))


def test_the_mean_and_spread_over_seeds_are_shown_for_both_splits(tmp_path: Path) -> None:
    runs = seeds(0.1, 0.2, 0.3)
    scores = [run["result"]["test/macro_f1"] for run in runs]
    report = make_report(tmp_path / "study", [Made({"x": 0.1}, [0.6], attributes={"spread": [0.1]}, runs=runs)])
    text = words(report)
    mean, spread = np.mean(scores), np.std(scores, ddof=1)
    assert f"{mean:.4f} ± {spread:.4f}" in text and f"{mean - 0.1:.4f} ± {spread:.4f}" in text
    assert "the intervals are of that mean" in text and "time, all seeds" in text and "0 min 30 s" not in text
    low, high = mean_interval(report.trials[0].runs, "test") or (0, 0)
    assert f"{low:.4f} to {high:.4f}" in text and low < mean < high
    assert "- to -" not in text


@pytest.mark.parametrize("without", [[0], [2], [0, 1]])
def test_seeds_without_a_test_score_are_left_out_of_its_mean(without: list[int], tmp_path: Path) -> None:
    runs = seeds(0.1, 0.2, 0.3)
    for seed in without:  # as after a final run that was stopped
        del runs[seed]["result"]["test/macro_f1"]
    scores = [run["result"]["test/macro_f1"] for run in runs if "test/macro_f1" in run["result"]]
    spread = f" ± {np.std(scores, ddof=1):.4f}" if len(scores) > 1 else ""
    text = words(make_report(tmp_path / "study", [Made({"x": 0.1}, [0.6], runs=runs)]))
    assert f"{np.mean(scores):.4f}{spread} ({len(scores)} of 3 seeds)" in text


def test_a_score_that_no_seed_has_is_a_dash(tmp_path: Path) -> None:
    runs = seeds(0.1, 0.2)
    for run in runs:
        run["result"]["test/macro_f1"] = float("nan")
    assert "nan" not in words(make_report(tmp_path / "study", [Made({"x": 0.1}, [0.6], runs=runs)]))


def test_seeds_without_common_spectra_have_no_interval_of_their_mean(tmp_path: Path) -> None:
    runs = seeds(0.1, 0.2)
    runs[1]["predictions"] = runs[1]["predictions"].assign(id=[f"other{row}" for row in range(300)])
    report = make_report(tmp_path / "study", [Made({"x": 0.1}, [0.6], runs=runs)])
    assert mean_interval(report.trials[0].runs, "test") is None and "± " in words(report)


def test_the_objective_is_shown_if_the_runs_are_missing(tmp_path: Path) -> None:
    assert "0.6543" in words(make_report(tmp_path / "study", [Made({"x": 0.1}, [0.6543])]))


@pytest.mark.parametrize(
    ("error_rate", "split", "text"),
    [
        (0.05, "test", "The best trial is better: the interval leaves out zero."),
        (0.4, "test", "No difference shown: the interval contains zero."),
        (0.05, "validation", "the difference is flattered"),
    ],
)
def test_the_best_is_compared_with_the_reference(error_rate: float, split: str, text: str, tmp_path: Path) -> None:
    def run(error_rate: float, seed: int, f1: float) -> list[dict[str, Any]]:
        return [{"result": {"val/macro_f1": f1}, "predictions": predictions(300, error_rate, seed, split)}]

    trials = [
        Made({"x": 0.1}, [0.5], was_enqueued=True, runs=run(0.4, 1, 0.5)),
        Made({"x": 0.2}, [0.6], runs=run(error_rate, 2, 0.6)),
    ]
    shown = words(make_report(tmp_path / "study", trials, X))
    assert text in shown and f"On the same 300 {split} spectra" in shown
    assert ("flattered" in shown) == (split == "validation")


@pytest.mark.parametrize("others", [[], ["val/macro_f1"]], ids=["alone", "before another"])
def test_a_best_trial_that_was_not_chosen_on_validation_is_not_flattered_there(
    others: list[str], tmp_path: Path
) -> None:
    """The first objective chooses."""

    def run(error_rate: float, seed: int) -> list[dict[str, Any]]:
        return [{"result": {"val/macro_f1": 0.5}, "predictions": predictions(300, error_rate, seed, "validation")}]

    trials = [
        Made({"x": 0.1}, [0.5, *(0.5 for _ in others)], was_enqueued=True, runs=run(0.4, 1)),
        Made({"x": 0.2}, [0.3, *(0.5 for _ in others)], runs=run(0.05, 2)),
    ]
    directions = ["minimize", *("maximize" for _ in others)]
    shown = words(make_report(tmp_path / "study", trials, X, ["train/loss", *others], directions))
    assert "On the same 300 validation spectra the best trial has" in shown
    assert "flattered" not in shown and "optimistic" not in shown


def test_a_reference_that_is_still_the_best_is_reported(tmp_path: Path) -> None:
    text = words(make_report(tmp_path / "study", [Made({"x": 0.1}, [0.5], was_enqueued=True), Made({}, [0.4])]))
    assert "is still the best: nothing better was found" in text
    report = make_report(tmp_path / "other", [Made({"x": 0.1}, [0.5], was_enqueued=True), Made({}, [0.6])])
    assert "spectrum by spectrum: their predictions are not all there." in words(report)


def test_the_page_says_why_the_reference_cannot_be_compared(tmp_path: Path) -> None:
    survey = {"class_names": list(CLASSES), "fingerprint": "another", "folder": "gone"}
    runs = [{"result": result, "predictions": predictions(50)} for result in ({}, {"survey": survey})]
    trials = [Made({"x": k}, [k], was_enqueued=not k, runs=[run]) for k, run in enumerate(runs)]
    text = words(make_report(tmp_path / "study", trials, X))
    assert "The two cannot be compared spectrum by spectrum: they are not of the same survey." in text


@pytest.mark.parametrize(("enqueue", "number"), [([], None), ([{"x": 2}, {"x": 3}], 0)])
def test_a_search_has_a_reference_if_it_was_given_one(
    enqueue: list[dict[str, int]], number: int | None, tmp_path: Path
) -> None:
    sweep(tmp_path / "study", {"x": [1, 2, 3]}, lambda call: float(call.values["x"]), num_trials=3, enqueue=enqueue)
    assert read_report(str(tmp_path / "study")).reference_number == number
    # Every combination of a grid is an enqueued configuration, and none is a reference.
    sweep(tmp_path / "grid", {"x": [1, 2, 3]}, lambda call: 1.0, sampler="grid")
    assert read_report(str(tmp_path / "grid")).reference is None


def test_the_difference_between_seeds_is_that_of_their_means(tmp_path: Path) -> None:
    trials = [
        Made({"x": 0.1}, [0.5], was_enqueued=True, runs=seeds(0.3, 0.35, first=5)),
        Made({"x": 0.2}, [0.6], runs=seeds(0.1, 0.15, 0.2)),
    ]
    report = make_report(tmp_path / "study", trials)
    other, mine = (trial.runs for trial in report.trials)
    found = paired_differences(mine, other)[0]["test"]
    scores = [[run.result["test/macro_f1"] for run in runs] for runs in (mine, other)]
    assert found.value == pytest.approx(np.mean(scores[0]) - np.mean(scores[1]))
    assert found.low < found.value < found.high
    assert found.mean_over == (" (mean over 3 seeds)", " (mean over 2 seeds)")
    assert found.by_seed == pytest.approx([scores[0][0] - scores[1][0], scores[0][1] - scores[1][1]])
    text = words(report)
    assert f"has macro-F1 {found.mine:.4f} (mean over 3 seeds)" in text
    assert f"Seed by seed: {found.by_seed[0]:+.4f}, {found.by_seed[1]:+.4f}." in text


def test_the_decision_rule_and_classes_with_few_spectra_are_told(tmp_path: Path) -> None:
    scores = {"val/macro_f1": 0.5, "val/decision/macro_f1": 0.75, "survey": {"class_names": ["star", "qso"]}}
    scores |= {"val/num_spectra/star": 100, "val/num_spectra/qso": 4}
    said = words(make_report(tmp_path / "study", [Made({"x": 0.1}, [0.5], runs=[{"result": scores}])], X))
    assert "validation, decision rule macro-F1" in said and "0.7500" in said
    assert "Few spectra in validation (trial 0): qso (4)." in said


def test_validation_macro_f1_has_one_column_among_several_objectives(tmp_path: Path) -> None:
    trials = [Made({"x": 0.1}, [0.5, 0.25], runs=[{"result": {"val/macro_f1": 0.5}}])]
    report = make_report(tmp_path / "study", trials, X, ["val/macro_f1", "val/log_loss"], ["maximize", "minimize"])
    page = summary.section(report).html
    headings = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', page)
    assert headings[:3] == ["val/log_loss", "validation macro-F1", "95 % interval"]
    assert page.count('<td class="number">0.5000</td>') == 1

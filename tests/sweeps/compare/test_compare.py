"""What `sweeps.compare` shows of runs and trials, and when it reports a difference."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import small_runs
from compared_runs import LABELS, macro_f1, make_run, predicted, shown, table
from loop_runs import Call, sweep
from sklearn.metrics import f1_score

from sweeps.compare import command
from sweeps.compare.subjects import find_subject
from sweeps.ls.command import read_all
from sweeps.results.paired_difference import paired_differences
from sweeps.storage.connect import open_storage


def test_the_differences_in_config_and_metrics_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = make_run(tmp_path / "a", predicted(4), "model: {width: 16, norm: none}")
    other = make_run(tmp_path / "b", predicted(2), "model: {width: 32, norm: none, dilations: [1, 2]}")
    output = shown(capsys, first, other)
    assert table(output, "config") == {"model.width": ["16", "32"], "model.dilations": ["-", "[1,2]"]}
    one, two = macro_f1(predicted(4)), macro_f1(predicted(2))
    assert table(output, "metric") == {
        "val/macro_f1": [f"{one:.4f}", f"{two:.4f}", f"{two - one:+.4f}"],
        "val/f1/star": ["0.5000", "0.5000", "+0.0000"],
        "val/f1/qso": ["0.0000", "0.0000", "+0.0000"],
        "num_parameters": ["1,234", "1,234", "+0"],
    }
    everything = shown(capsys, first, other, "--all")
    assert table(everything, "config").keys() == {"seed", "model.width", "model.norm", "model.dilations"}
    assert "val/recall/star" in table(everything, "metric")
    assert shown(capsys, first, first).startswith("The configs do not differ.\n")


def test_what_an_ensemble_and_a_trial_store_for_other_readers_is_no_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = make_run(tmp_path / "a", predicted(4), "score_test: false")
    average = make_run(tmp_path / "b", predicted(2), "score_test: true")
    for run, more in ((trial, {"best_epoch": 12}), (average, {"best_epoch": 0, "ensemble": {"members": []}})):
        result = json.loads((run / "result.json").read_text())
        (run / "result.json").write_text(json.dumps(result | more))
    output = shown(capsys, trial, average)
    assert output.startswith("The configs do not differ.\n")
    assert table(output, "metric")["best_epoch"] == ["12", "-", "-"]


def test_an_interval_without_zero_is_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = make_run(tmp_path / "bad", predicted(15)), make_run(tmp_path / "good", predicted(1))
    found = paired_differences(find_subject(str(good)).runs, find_subject(str(bad)).runs)[0]["validation"]
    assert found.value == pytest.approx(macro_f1(predicted(1)) - macro_f1(predicted(15)))
    # Independent of the module: resample the spectra themselves.
    rng, right = np.random.default_rng(1), np.array(LABELS)
    draws = [rng.integers(0, len(right), len(right)) for _ in range(200)]
    one, two = np.array(predicted(1)), np.array(predicted(15))
    gains = [f1_score(right[d], one[d], average="macro") - f1_score(right[d], two[d], average="macro") for d in draws]
    assert [found.low, found.high] == pytest.approx(np.quantile(gains, [0.025, 0.975]), abs=0.03)
    assert f"is clear of zero: {good} is better on these spectra." in shown(capsys, bad, good)
    assert f"is clear of zero: {good} is better on these spectra." in shown(capsys, good, bad)


def test_an_interval_with_zero_may_be_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = make_run(tmp_path / "a", predicted(5)), make_run(tmp_path / "b", predicted(4))
    assert "contains zero, so that these spectra do not show which is better." in shown(capsys, first, other)


def test_scores_of_other_spectra_have_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = make_run(tmp_path / "a", predicted(5))
    elsewhere = make_run(tmp_path / "b", predicted(4), first_id=1)
    assert "no split of both has the same spectra" in shown(capsys, first, elsewhere)
    # The same names of spectra mean nothing if the surveys differ.
    survey = make_run(tmp_path / "c", predicted(4), fingerprint="g")
    assert "they are not of the same survey" in shown(capsys, first, survey)
    unfinished = make_run(tmp_path / "d", None)
    output = shown(capsys, first, unfinished)
    assert f"{unfinished} has no result: it was stopped before its first epoch had ended." in output
    assert "interval" not in output


def make_epochs(run: Path, *scores: float, state: str = "pruned") -> None:
    """The epochs of a run without a result, and how it ended."""
    rows = [{"epoch": k + 1, "val/macro_f1": score, "val/f1/star": score / 2} for k, score in enumerate(scores)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "trial.json").write_text(json.dumps({"state": state}))


def test_a_pruned_run_shows_its_number_of_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = make_run(tmp_path / "a", predicted(5))
    pruned = make_run(tmp_path / "b", None, "objective: val/macro_f1")
    make_epochs(pruned, 0.5, 0.5, 0.125)
    output = shown(capsys, first, pruned)
    score = macro_f1(predicted(5))
    assert table(output, "metric")["val/macro_f1"] == [f"{score:.4f}", "0.5000", f"{0.5 - score:+.4f}"]
    assert table(output, "metric")["val/f1/star"][1] == "0.2500"
    assert table(output, "metric")["best_epoch"] == ["-", "2", "-"]
    expected = "it was pruned after epoch 3 with val/macro_f1 0.1250; its scores above are those of its best epoch, 2."
    assert f"{pruned} has no result: {expected}" in output and "interval" not in output


def test_a_pruned_run_that_keeps_its_last_epoch_shows_that_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make_run(tmp_path / "a", predicted(5))
    pruned = make_run(tmp_path / "b", None, "objective: val/macro_f1\nschedule: {keep: last}")
    make_epochs(pruned, 0.5, 0.25)
    output = shown(capsys, first, pruned)
    assert table(output, "metric")["val/macro_f1"][1] == "0.2500"
    assert "its scores above are those of epoch 2." in output


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a study of three trials; the second fails, the third is the best."""
    return study_of_three(tmp_path, monkeypatch, "val/macro_f1")


def study_of_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objective: str) -> str:
    def task(call: Call) -> float:
        make_run(call.folder, predicted(9 - 3 * call.values["x"]), f"x: {call.values['x']}")
        if call.values["x"] == 2:
            raise ArithmeticError("two")
        return float(call.values["x"])

    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()
    sweep(
        Path("outputs/sweeps/mine"), {"x": [1, 2, 3]}, task, sampler="grid", objective=objective, direction="maximize"
    )
    return "mine"


def test_trials_of_a_study_are_compared(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(capsys, study, f"{study}:0", f"outputs/sweeps/{study}:1")
    assert output.splitlines()[0].split() == ["config", "study:2", "study:0", "study:1"]
    assert table(output, "config") == {"x": ["3", "1", "2"]}
    assert output.count("95 % interval") == 2
    flattered = "study:2 was chosen on validation as the best of its study, so the difference there is flattered."
    assert output.count(flattered) == 2
    assert "flattered" not in shown(capsys, f"{study}:0", f"outputs/sweeps/{study}:1")
    assert shown(capsys, f"{study}:0", f"{study}:2").endswith(f"{flattered}\n")
    again = shown(capsys, f"{study}:2", study)
    assert again.endswith("study:2 and study:2 are the same: name another one.\n") and "interval" not in again


def test_the_best_trials_of_two_studies_are_both_flattered(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(f"outputs/sweeps/{study}", "outputs/sweeps/copy")
    both = "study:2 and study:2 were chosen on validation as the best of a study: both scores are flattered."
    assert both in shown(capsys, study, "copy")


def test_a_study_that_was_judged_by_no_validation_score_flatters_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = study_of_three(tmp_path, monkeypatch, "train/loss")
    assert "flattered" not in shown(capsys, study, f"{study}:0")


def test_every_name_that_ls_shows_is_accepted(study: str) -> None:
    runs = [Path("outputs/runs/alone"), Path("outputs/runs/many/seed-1"), *Path("outputs/sweeps/mine").glob("[0-9]")]
    for run in runs:
        make_run(run, None, "schedule: {stages: []}\nobjective: val/macro_f1")
        (run / "result.json").unlink(missing_ok=True)
    found, unreadable = zip(*map(read_all, (Path("outputs"), Path("outputs/sweeps/mine"))), strict=True)
    names = {entry.name for entries in found for entry in entries}
    assert not any(unreadable)
    assert names == {study, "mine/0", "mine/1", "mine/2", "alone", "many/seed-1"}
    assert {find_subject(name).runs[0].path for name in names - {study}} == set(runs)


def test_seeds_of_a_trial_are_compared_by_their_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()

    def task(call: Call) -> float:
        run = make_run(call.folder, predicted(call.values["x"] + call.values["seed"] - 10))
        result = json.loads((run / "result.json").read_text())
        (run / "result.json").write_text(json.dumps(result | {"best_epoch": call.values["seed"]}))
        return 0.0

    sweep(Path("outputs/sweeps/mine"), {"x": [1, 4]}, task, sampler="grid", seeds=2)
    output = shown(capsys, "mine:0", "mine:1")
    mean = (macro_f1(predicted(1)) + macro_f1(predicted(2))) / 2
    metrics = table(output, "metric")
    assert metrics["val/macro_f1"][0] == f"{mean:.4f}"
    assert metrics["num_parameters"] == ["1,234", "1,234", "+0"] and metrics["best_epoch"] == ["10.5", "10.5", "+0.0"]
    assert "The metrics of study:0 are means over 2 seeds." in output
    gain = (macro_f1(predicted(4)) + macro_f1(predicted(5))) / 2 - mean
    expected = f"val/macro_f1 of study:1 (mean over 2 seeds) less that of study:0 (mean over 2 seeds): {gain:+.4f} on"
    assert expected in output and output.count("95 % interval") == 1
    # A trial is also compared with a single run.
    make_run(tmp_path / "alone", predicted(30))
    assert "of alone less that of study:0 (mean over 2 seeds): " in shown(capsys, "mine:0", "alone")


def test_a_damaged_seed_of_a_trial_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()

    def task(call: Call) -> float:
        make_run(call.folder, predicted(call.values["seed"]), "objective: val/macro_f1")
        return 0.0

    sweep(Path("outputs/sweeps/mine"), {"x": [1]}, task, sampler="grid", seeds=3)
    runs = [Path(f"outputs/sweeps/mine/0/seed-{k}") for k in range(3)]
    (runs[0] / "predictions.parquet").write_bytes(b"PAR1")
    (runs[1] / "result.json").unlink()
    make_run(Path("alone"), predicted(4))
    output = shown(capsys, "mine:0", "alone")
    damaged, without = output.splitlines()[:2]
    assert all(line.startswith("A seed of study:0 is left out: ") for line in (damaged, without))
    assert "seed-0/predictions.parquet cannot be read: " in damaged and without.endswith("seed-1 has no result.")
    assert table(output, "metric")["val/macro_f1"][0] == f"{macro_f1(predicted(12)):.4f}"
    assert output.count("95 % interval") == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = make_run(tmp_path / "a", predicted(4)), make_run(tmp_path / "b", predicted(2))
    (other / "predictions.parquet").write_bytes(b"PAR1")
    assert command.main([str(first), str(other)]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {other}/predictions.parquet cannot be read: ") and printed.out == ""


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("nope", "nope is neither a run, nor a study, nor STUDY:NUMBER of a study: see python -m sweeps.ls."),
        (
            "mime:1",
            "mime:1 is neither a run, nor a study, nor STUDY:NUMBER of a study: did you mean 'mine'? "
            "see python -m sweeps.ls.",
        ),
        ("mine:3", "the study mine has no trial 3: its 3 trials are numbered from 0."),
    ],
)
def test_a_missing_run_is_named(study: str, named: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([study, named]) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"


def test_runs_that_cannot_be_compared_are_named(study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([study]) == 2
    assert capsys.readouterr().err == "error: there is nothing to compare mine with: name two or more.\n"
    sweep(tmp_path / "none", {"x": [1]}, lambda call: float("nan"), sampler="grid")
    assert command.main([study, str(tmp_path / "none")]) == 2
    assert "has no complete trial yet" in capsys.readouterr().err
    assert command.main([study, f"{tmp_path / 'none'}:0"]) == 2
    assert capsys.readouterr().err.endswith("has no run folder.\n")


def test_runs_of_the_product_are_compared(
    small: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_runs.run(small(folder="a"))
    small_runs.run(small("model.width=6", folder="b"))
    output = shown(capsys, tmp_path / "a", tmp_path / "b")
    assert table(output, "config") == {"model.width": ["4", "6"]}
    metrics: dict[str, Any] = small_runs.result(tmp_path / "b")
    assert table(output, "metric")["test/macro_f1"][1] == f"{metrics['test/macro_f1']:.4f}"
    assert f"val/macro_f1 of {tmp_path / 'b'} less that of {tmp_path / 'a'}: " in output
    assert output.count("95 % interval") == 2


def test_decision_rules_are_compared_under_their_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = make_run(tmp_path / "a", predicted(9)), make_run(tmp_path / "b", predicted(3))
    content = json.loads((other / "result.json").read_text())
    (other / "result.json").write_text(json.dumps(content | {"val/decision/macro_f1": 0.5}))
    output = shown(capsys, first, other)
    assert f"val/decision/macro_f1 of {other} less that of {first}: " in output
    assert table(output, "metric")["val/decision/macro_f1"] == ["-", "0.5000", "-"]


def test_the_difference_resamples_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four spectra of an object are one chance to be better, not four."""
    first, other = make_run(tmp_path / "a", predicted(8)), make_run(tmp_path / "b", predicted(3))
    alone = paired_differences(find_subject(str(other)).runs, find_subject(str(first)).runs)[0]["validation"]
    for run in (first, other):
        stored = pd.read_parquet(run / "predictions.parquet")
        stored.assign(group=stored["id"].str[1:].astype(int) // 4).to_parquet(run / "predictions.parquet")
    grouped = paired_differences(find_subject(str(other)).runs, find_subject(str(first)).runs)[0]["validation"]
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 1.3 * (alone.high - alone.low)

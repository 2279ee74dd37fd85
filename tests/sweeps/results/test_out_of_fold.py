"""The folds of a trial scored as one."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import small_runs
from sklearn.metrics import confusion_matrix, f1_score

from sweeps.results.out_of_fold import FOLDER, _write, pooled, score_out_of_fold
from sweeps.results.paired_difference import mean_interval, paired_differences
from sweeps.results.run import Run

FOLDS = ("split=kfold", "split.num_folds=3", "split.test=0.2", "schedule.stages.0.epochs=1")


@pytest.fixture
def trial(pack_folder: Path, tmp_path: Path) -> Callable[..., list[Run]]:
    """The runs of a trial with one fold each."""
    fixed = [override for override in small_runs.OVERRIDES if not override.startswith("split.")]
    data = ["data=packed", f"data.folder={pack_folder}"]

    def run(name: str, num: int, *more: str) -> list[Run]:
        paths = [tmp_path / name / f"seed-{fold}" for fold in range(num)]
        for fold, path in enumerate(paths):
            small_runs.run([*data, *fixed, *FOLDS, *more, f"split.fold={fold}", f"run_dir={path}"])
        return [Run(path) for path in paths]

    return run


def test_each_spectrum_is_scored_once_by_the_fold_that_did_not_train_on_it(
    trial: Callable[..., list[Run]], tmp_path: Path
) -> None:
    runs = trial("a", 3)
    found = score_out_of_fold(runs)
    assert found is not None
    together = pd.concat([run.split("validation") for run in runs])
    assert found["val/num_spectra"] == len(together) == 96 and together["id"].is_unique
    label, predicted = together["label"], together["predicted"]
    assert found["val/macro_f1"] == pytest.approx(f1_score(label, predicted, average="macro"))
    assert found["confusion"]["val"] == confusion_matrix(label, predicted, labels=runs[0].class_names).tolist()
    assert found["val/macro_f1_low"] < found["val/macro_f1"] < found["val/macro_f1_high"]
    interval = mean_interval(runs, "validation")
    assert interval == pytest.approx((found["val/macro_f1_low"], found["val/macro_f1_high"]), abs=0.02)
    assert [run.path for run in pooled(runs)] == [tmp_path / "a" / FOLDER]


def test_two_trials_are_compared_on_all_their_folds(trial: Callable[..., list[Run]]) -> None:
    first, other = trial("a", 3), trial("b", 3, "model.width=6")
    assert "validation" not in paired_differences(first, other)[0]  # each fold has spectra of its own
    scores = [score_out_of_fold(runs) for runs in (first, other)]
    found = paired_differences(first, other)[0]["validation"]
    assert found.num_spectra == 96
    assert found.mean_over == (" (its folds together)",) * 2  # not the mean over the folds, which tables show
    assert found.value == pytest.approx(scores[0]["val/macro_f1"] - scores[1]["val/macro_f1"])  # type: ignore[index]  # scores are there


@pytest.mark.slow
def test_repeats_divide_the_same_spectra_again(trial: Callable[..., list[Run]]) -> None:
    runs = trial("a", 6, "split.num_repeats=2")
    found = score_out_of_fold(runs)
    assert found is not None and found["val/num_spectra"] == 96
    scores = []
    for half in (runs[:3], runs[3:]):
        table = pd.concat([run.split("validation") for run in half])
        scores.append(f1_score(table["label"], table["predicted"], average="macro"))
    assert found["val/macro_f1"] == pytest.approx(np.mean(scores))
    assert np.sum(found["confusion"]["val"]) == 2 * 96
    tests = [set(run.split("test")["id"]) for run in runs]
    assert all(ids == tests[0] for ids in tests)


def folds_by_hand(trial: Path, num_wrong: list[int]) -> list[Run]:
    """Two folds for each of the divisions, which has this many mistakes, of 40 spectra."""
    label, ids = np.array(["star", "qso"] * 20), np.arange(40)
    runs = []
    for division, num in enumerate(num_wrong):
        predicted = np.where(ids < num, np.roll(label, 1), label)
        for fold in range(2):
            folder = trial / f"seed-{2 * division + fold}"
            folder.mkdir(parents=True)
            split = f"{{name: kfold, num_folds: 2, fold: {2 * division + fold}}}"
            (folder / "config.yaml").write_text(f"seed: 0\nsplit: {split}\n")
            survey = {"class_names": ["star", "qso"], "fingerprint": "f"}
            (folder / "result.json").write_text(json.dumps({"val/macro_f1": 0.5, "survey": survey}))
            table = pd.DataFrame({"id": [f"s{i:02}" for i in ids], "split": "validation", "label": label})
            table = table.assign(predicted=predicted)
            probabilities = {f"probability/{name}": (predicted == name) * 1.0 for name in ("star", "qso")}
            own = ids // (1 + division) % 2 == fold
            table.assign(**probabilities)[own].to_parquet(folder / "predictions.parquet")
            runs.append(Run(folder))
    assert score_out_of_fold(runs) is not None
    return runs


def test_repeated_folds_are_compared_by_all_their_divisions(tmp_path: Path) -> None:
    first, other = folds_by_hand(tmp_path / "a", [4, 2]), folds_by_hand(tmp_path / "b", [4, 20])
    found = paired_differences(first, other)[0]["validation"]
    scores = [np.mean([1 - num / 40 for num in num_wrong]) for num_wrong in ([4, 2], [4, 20])]
    assert found.value == pytest.approx(scores[0] - scores[1])  # as many mistakes in either class
    assert found.mean_over == (" (mean over 2 divisions, the folds of each together)",) * 2
    low, high = mean_interval(other, "validation") or (0, 0)
    assert low < scores[1] < high < 1 - 4 / 40


def test_a_damaged_evaluation_of_folds_counts_as_missing(tmp_path: Path) -> None:
    runs = folds_by_hand(tmp_path / "a", [4])
    (tmp_path / "a" / FOLDER / "result.json").write_text("{")
    assert pooled(runs) == runs


def test_runs_that_are_no_folds_have_no_score_out_of_fold(small: Callable[..., list[str]], tmp_path: Path) -> None:
    for seed in (0, 1):
        small_runs.run(small(f"seed={seed}", "schedule.stages.0.epochs=1", folder=f"seed-{seed}"))
    runs = [Run(tmp_path / f"seed-{seed}") for seed in (0, 1)]
    assert score_out_of_fold(runs) is None and pooled(runs) == runs


def test_predictions_that_cannot_be_written_leave_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame({"id": ["a", "b"], "label": ["star", "qso"]})
    _write(tmp_path, {}, table)

    def breaks(_frame: pd.DataFrame, file: Any, **_options: Any) -> None:
        with file.open("wb") if isinstance(file, Path) else contextlib.nullcontext(file) as opened:
            opened.write(b"PAR1")
        raise OSError("the network file system is gone")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="is gone"):
        patch.setattr(pd.DataFrame, "to_parquet", breaks)
        _write(tmp_path, {}, table[:1])
    assert pd.read_parquet(tmp_path / "predictions.parquet").equals(table)
    assert {path.name for path in tmp_path.iterdir()} == {"predictions.parquet", "result.json"}

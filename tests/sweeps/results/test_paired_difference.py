"""The difference of two runs, spectrum by spectrum."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_studies import CLASSES, make_run, predictions
from sklearn.metrics import f1_score

from sweeps.results.paired_difference import NO_PREDICTIONS, OTHER_SPECTRA, OTHER_SURVEY, paired_differences
from sweeps.results.run import Run


def macro_f1(label: Any, predicted: Any) -> float:
    return float(f1_score(label, predicted, labels=CLASSES, average="macro", zero_division=0))


def macro_f1_by_hand(label: Any, predicted: Any) -> float:
    """The same without the checks of scikit-learn, which take most of the time of a bootstrap."""
    right, in_all = label == predicted, np.concatenate([label, predicted])
    return float(np.mean([2 * (label[right] == name).sum() / max((in_all == name).sum(), 1) for name in CLASSES]))


def run_of(folder: Path, table: pd.DataFrame) -> Run:
    make_run(folder, {}, predictions=table)
    return Run(folder)


def test_the_difference_is_paired_by_spectrum(tmp_path: Path) -> None:
    mine, other = predictions(200, 0.1, 1), predictions(200, 0.3, 2)
    runs = [run_of(tmp_path / "a", mine)], [run_of(tmp_path / "b", other.sample(frac=1))]
    found = paired_differences(*runs)[0]["test"]
    assert (found.split, found.num_spectra, found.mean_over) == ("test", 200, ("", ""))
    label, one, two = (np.array(column) for column in (mine["label"], mine["predicted"], other["predicted"]))
    assert found.value == pytest.approx(macro_f1(label, one) - macro_f1(label, two))
    rng = np.random.default_rng(5)
    drawn = [rng.integers(0, 200, 200) for _ in range(600)]
    assert macro_f1_by_hand(label, one) == pytest.approx(macro_f1(label, one))
    gains = [macro_f1_by_hand(label[rows], one[rows]) - macro_f1_by_hand(label[rows], two[rows]) for rows in drawn]
    low, high = np.quantile(gains, [0.025, 0.975])
    # Two bootstraps of 600 and 2,000 resamples differ by a few percent of the interval's width.
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.15 * (high - low))


def test_runs_of_other_spectra_have_no_difference(tmp_path: Path) -> None:
    mine = run_of(tmp_path / "a", predictions(50))
    others = {
        "names": predictions(50).assign(id=[f"other{row}" for row in range(50)]),
        "labels": predictions(50).assign(label="star"),
        "fewer": predictions(49),
        "twice": pd.concat([predictions(49), predictions(1)]),
        "split": predictions(50, split="validation"),
    }
    for name, table in others.items():
        assert paired_differences([mine], [run_of(tmp_path / name, table)]) == ({}, OTHER_SPECTRA)
    surveys = run_of(tmp_path / "survey", predictions(50))
    surveys.result["survey"]["fingerprint"] = "another"
    assert paired_differences([mine], [surveys]) == ({}, OTHER_SURVEY)
    # Known to be of the same spectra, packed on another grid.
    assert paired_differences([mine], [surveys], same_survey=False)[0]["test"].num_spectra == 50
    names = run_of(tmp_path / "other names", others["names"])
    assert paired_differences([mine], [names], same_survey=False) == ({}, OTHER_SPECTRA)


def test_a_run_without_predictions_is_not_taken_for_one_of_other_spectra(tmp_path: Path) -> None:
    mine, without = run_of(tmp_path / "a", predictions(50)), run_of(tmp_path / "b", predictions(50))
    (tmp_path / "b" / "predictions.parquet").unlink()
    assert paired_differences([mine], [without]) == paired_differences([mine], []) == ({}, NO_PREDICTIONS)

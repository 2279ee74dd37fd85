"""A cross-validation in the report: its replicates are called folds."""

import re
from pathlib import Path
from typing import Any

from report_studies import Made, figure, make_report, predictions

from sweeps.report.page import build_page
from sweeps.report.sections import best_run, machine, side_by_side, spectra, summary
from sweeps.study.attributes import IDENTITY, SEEDS, SPREAD

OBJECTIVE = "val/accuracy"
IDENTITY_OF_FOLDS = {"space": {}, "objectives": [OBJECTIVE], "fixed": [], "seeds": [0, 1, 2], "seed_key": "split.fold"}


def folds(error_rate: float) -> list[dict[str, Any]]:
    """Three runs on the same test spectra, a fold each."""
    return [
        {
            "result": {
                "val/macro_f1": 0.5,
                "test/macro_f1": 1 - error_rate,
                "config": {"split": {"name": "kfold", "num_folds": 3, "fold": fold}},
            },
            "predictions": predictions(100, error_rate, fold),
        }
        for fold in range(3)
    ]


def test_folds_are_called_folds(tmp_path: Path) -> None:
    more = {SEEDS: [0, 1, 2], SPREAD: [0.1]}
    trials = [
        Made({"x": 1}, [0.4], steps={1: 0.3}, attributes=more, runs=folds(0.4), was_enqueued=True),
        Made({"x": 2}, [0.6], steps={1: 0.5}, attributes=more, runs=folds(0.1)),
    ]
    noted = {IDENTITY: IDENTITY_OF_FOLDS}
    report = make_report(tmp_path / "study", trials, objectives=[OBJECTIVE], noted=noted)
    head, of_run, of_spectra = summary.section(report), best_run.section(report), spectra.section(report)
    assert of_run is not None and of_spectra is not None
    for words in (
        "Scores are means over the folds, ±",
        "not of the choice of folds",
        "On validation they are of the score of all folds together",
        "and on the test split of the mean over the folds.",
        "mean ± spread over folds",
        "time, all folds",
        "Fold by fold: +",
        "(mean over 3 folds) and the configuration",
    ):
        assert words in head.html, words
    assert "the run of its first fold" in of_run.html and "trial 1, the best, first fold" in of_spectra.html
    timeline = figure(machine.section(report), "machine-timeline")
    hovers = [hover.split(",")[1] for bars in timeline["data"] for hover in bars["hovertext"]]
    assert sorted(hovers) == sorted([f" fold {k}" for k in range(3)] * 2)
    compared = side_by_side.section(report)
    assert compared is not None and f"{OBJECTIVE}, spread of folds" in compared.data["trials"][0]["metrics"]
    page = re.sub(r"<script.*?</script>", "", build_page(report), flags=re.DOTALL)
    sentences = [words for words in re.findall(r"[^.<>]*\bseeds?\b[^.<>]*", page) if "seed-" not in words]
    assert sentences == []

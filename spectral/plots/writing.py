"""Draws all pictures of a run, and makes tables of the same for a tracker."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.plots.confusion import draw_confusion
from spectral.plots.curves import draw_curves
from spectral.plots.misclassified import draw_spectrum, most_confident_mistakes
from spectral.plots.pictures import Plots
from spectral.plots.precision_recall import Curve, curves, draw_precision_recall
from spectral.plots.style import styled
from spectral.survey import Survey
from spectral.table import Table


def write_plots(
    folder: Path,
    metrics: Sequence[dict[str, Any]],
    best_epoch: int | None,
    confusions: Mapping[str, Sequence[Sequence[int]]],
    predictions: pd.DataFrame,
    survey: Survey,
    rows: NDArray[np.int64],
) -> Plots:
    """Write all pictures of a run; gives what was written.

    Args:
        metrics: rows of metrics.jsonl; none, of a baseline or an ensemble, have no curves.
        best_epoch: None or 0 if there are no rows.
        confusions: split -> counts [K, K], by argmax; of another decision rule, which is drawn, under split/decision.
        predictions: as in predictions.parquet; empty without validation and test.
        rows: of the survey [n], one for each row of `predictions`.
    """
    plots, names = Plots(), survey.class_names
    with styled():
        if metrics and best_epoch is not None:
            plots.images["curves"] = folder / "curves.png"
            draw_curves(plots.images["curves"], metrics, names, best_epoch)
        if len(predictions):
            plots.images["confusion"] = folder / "confusion.png"
            decided = {split: confusions.get(f"{split}/decision", confusions[split]) for split in _splits(confusions)}
            draw_confusion(plots.images["confusion"], decided, names)
            plots.tables["confusion_matrix"] = _confusion_table(list(decided.values())[-1], names)
            _add_scored(plots, folder, predictions.assign(row=rows), survey)
    return plots


def _add_scored(plots: Plots, folder: Path, predictions: pd.DataFrame, survey: Survey) -> None:
    """What is shown of one split: test, or validation where there is no test."""
    names, splits = survey.class_names, predictions["split"]
    split = "test" if (splits == "test").any() else "validation"
    scored = predictions[splits == split]
    probability = scored[[f"probability/{name}" for name in names]].to_numpy()
    found = curves(scored["label"].to_numpy(), probability, names)
    plots.images["precision_recall"] = folder / "precision_recall.png"
    draw_precision_recall(plots.images["precision_recall"], found, split)
    plots.tables["precision_recall_curve"] = _curve_table(found)
    listed: list[list[Any]] = []
    for place, mistake in enumerate(most_confident_mistakes(scored, names).itertuples(), start=1):
        path = folder / "misclassified" / f"{place:02d}.png"
        draw_spectrum(path, survey, int(mistake.row), mistake)  # type: ignore[arg-type]  # a cell may be anything
        cells = [mistake.id, mistake.label, mistake.predicted, float(mistake.confidence)]  # type: ignore[arg-type]  # as above
        listed.append([*cells, {"image": str(path.absolute())}])
    for path in (folder / "misclassified").glob("*.png"):  # of another split, which had more mistakes
        if path.stem.isdecimal() and int(path.stem) > len(listed):
            path.unlink()
    plots.tables["misclassified"] = Table(["id", "label", "predicted", "confidence", "spectrum"], listed)


def _splits(confusions: Mapping[str, object]) -> list[str]:
    return [name for name in confusions if "/" not in name]


def _confusion_table(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Table:
    rows = [[names[i], names[j], int(count)] for i, row in enumerate(counts) for j, count in enumerate(row)]
    return Table(["true", "predicted", "count"], rows, chart="confusion")


def _curve_table(found: Sequence[Curve]) -> Table:
    points = [
        [curve.name, float(recall), float(precision)]
        for curve in found
        for recall, precision in zip(curve.recall, curve.precision, strict=True)
    ]
    return Table(["class", "recall", "precision"], points, chart="precision_recall")

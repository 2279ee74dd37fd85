"""The confusion matrix, as shares of each true class and of each predicted class. K classes."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.report.figures.style import INK, axis, layout, numbers, short, text
from sweeps.report.section import Figure

MOST_WRITTEN = 15  # classes: beyond that cells are too small for their counts
SCALE = [[0, "#ffffff"], [1, "#56B4E9"]]  # dark text can be read on all of it

Counts = NDArray[np.int64]


def confusion_matrix(result: dict[str, Any], split: str, predictions: pd.DataFrame, names: list[str]) -> Counts | None:
    """Counts [K, K], row true class, column predicted class: of result.json, else counted; None if neither is there.

    Those of the decision rule, if it is not argmax.
    """
    key, found = "val" if split == "validation" else split, result.get("confusion", {})
    counts = found.get(f"{key}/decision", found.get(key))
    if counts:
        return np.array(counts, dtype=np.int64)
    if predictions.empty or not names:
        return None
    from sklearn.metrics import confusion_matrix

    counted: Counts = confusion_matrix(predictions["label"], predictions["predicted"], labels=names)
    return counted


def confusion_figures(counts: Counts, names: list[str]) -> list[Figure]:
    """By row and by column."""
    rows, columns = counts.sum(1, keepdims=True), counts.sum(0, keepdims=True)
    of_true = "Of the spectra of each true class (a row), the share given to each class; the diagonal is recall."
    of_called = (
        "Of the spectra given to each class (a column), the share of each true class; the diagonal is precision."
    )
    return [
        _figure("best-confusion-rows", of_true, counts / np.maximum(rows, 1), counts, names),
        _figure("best-confusion-columns", of_called, counts / np.maximum(columns, 1), counts, names),
    ]


def _figure(name: str, label: str, shares: NDArray[Any], counts: Counts, names: list[str]) -> Figure:
    called = [short(n, 14) for n in names]
    is_written = len(names) <= MOST_WRITTEN
    cells = [
        [f"{share:.0%}<br>{count:,}" for share, count in zip(share_row, count_row, strict=True)]
        for share_row, count_row in zip(shares, counts, strict=True)
    ]
    hover = [
        [f"true {text(t)}, predicted {text(p)}<br>{cells[i][j]}" for j, p in enumerate(names)]
        for i, t in enumerate(names)
    ]
    places = list(range(len(names)))
    trace = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": [numbers(row) for row in shares],
        "text": cells,
        "texttemplate": "%{text}" if is_written else "",
        "textfont": {"color": INK},
        "hovertext": hover,
        "hoverinfo": "text",
        "colorscale": SCALE,
        "zmin": 0,
        "zmax": 1,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 12, "tickformat": ".0%"},
    }
    drawn = layout(margin={"l": 64, "r": 24, "t": 40, "b": 56})
    drawn["xaxis"] = axis("predicted class", tickvals=places, ticktext=called, showgrid=False)
    drawn["yaxis"] = axis("true class", tickvals=places, ticktext=called, showgrid=False, autorange="reversed")
    height_px = min(160 + 64 * len(names), 760)
    return Figure(
        name, f"{label} Counts in the cells." if is_written else label, {"data": [trace], "layout": drawn}, height_px
    )

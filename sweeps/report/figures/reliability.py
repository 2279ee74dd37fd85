"""Whether a probability of 0.9 is right nine times in ten."""

from typing import Any

import numpy as np
import pandas as pd

from sweeps.report.figures.style import COLOURS, GREY, axis, layout, line, marks, numbers
from sweeps.report.section import Figure

NUM_BINS = 10


def reliability(predictions: pd.DataFrame) -> Figure | None:
    """Share of right predictions over the probability of the predicted class; None if there are no probabilities."""
    sure, right = _confidence(predictions)
    if not len(sure):
        return None
    bins = pd.DataFrame({"sure": sure, "right": right})
    groups = bins.groupby(np.minimum((sure * NUM_BINS).astype(int), NUM_BINS - 1))
    table = groups.agg(sure=("sure", "mean"), right=("right", "mean"), count=("right", "size"))
    error = float((table["count"] * (table["sure"] - table["right"]).abs()).sum() / len(bins))
    hover = [f"{row.count_:,} spectra: {row.sure:.3f} sure, {row.right:.3f} right" for row in _rows(table)]
    size = 6 + 10 * np.sqrt(table["count"] / table["count"].max())
    dots = marks("this run", numbers(table["sure"]), numbers(table["right"]), hover, size=numbers(size))
    dots |= {"mode": "lines+markers", "line": {"color": COLOURS[0], "width": 2}}
    dots["marker"]["color"] = COLOURS[0]
    diagonal = line("as sure as right", [0, 1], [0, 1], GREY, line={"dash": "dash"}, hoverinfo="skip")
    middles = [(place + 0.5) / NUM_BINS for place in table.index]
    counts = {
        "type": "bar",
        "name": "spectra",
        "x": middles,
        "y": table["count"].tolist(),
        "text": [f"{count:,}" for count in table["count"]],
        "textposition": "outside",
        "cliponaxis": False,
        "yaxis": "y2",
        "marker": {"color": COLOURS[5]},
        "hoverinfo": "none",
        "showlegend": False,
    }
    drawn = layout("probability of the predicted class", "share that is right", bargap=0.1)
    drawn["xaxis"] |= {"range": [-0.02, 1.02], "anchor": "y2"}
    drawn["yaxis"] |= {"range": [0, 1.05], "domain": [0.36, 1]}
    drawn["yaxis2"] = axis("spectra", domain=[0, 0.26], rangemode="tozero")
    label = (
        f"Below the dashed line the run is surer than it is right; the mean gap is {error:.3f} (expected calibration "
        "error). Bars: number of spectra."
    )
    return Figure("best-reliability", label, {"data": [diagonal, dots, counts], "layout": drawn}, height_px=480)


def _confidence(predictions: pd.DataFrame) -> tuple[Any, Any]:
    """Probability of the predicted class, and whether it is right, of the spectra that have both."""
    sure = np.full(len(predictions), np.nan)
    for name in predictions["predicted"].unique():
        if f"probability/{name}" in predictions:
            mine = (predictions["predicted"] == name).to_numpy()
            sure[mine] = predictions.loc[mine, f"probability/{name}"]
    known = np.isfinite(sure)
    right = (predictions["predicted"] == predictions["label"]).to_numpy()
    return sure[known], right[known]


def _rows(table: pd.DataFrame) -> Any:
    return table.rename(columns={"count": "count_"}).itertuples()

"""F1 of each class, and precision against recall of the rare ones. n spectra, K classes."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.report.figures.style import COLOURS, axis, layout, named_places, number, numbers, short, text
from sweeps.report.section import Figure

MOST_POINTS = 200
MOST_CURVES = 8  # as many as there are colours


def f1_figure(result: dict[str, Any], split: str, names: list[str]) -> Figure | None:
    """A bar for each class with spectra in the split; None if the run has no F1 by class."""
    key = "val" if split == "validation" else split
    rule = f"{key}/decision" if f"{key}/decision/macro_f1" in result else key
    supports = [result.get(f"{key}/num_spectra/{name}") for name in names]
    absent = [name for name, support in zip(names, supports, strict=True) if support == 0]
    scores = [None if name in absent else number(result.get(f"{rule}/f1/{name}")) for name in names]
    if not any(score is not None for score in scores):
        return None
    counts = [0 if support is None else support for support in supports]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": scores,
        "y": list(range(len(names))),
        "text": ["" if score is None else f"{score:.3f}" for score in scores],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertext": [f"{text(name)}, {count:,} spectra" for name, count in zip(names, counts, strict=True)],
        "hoverinfo": "text",
        "marker": {"color": COLOURS[0]},
    }
    drawn = layout("F1", margin={"l": 64, "r": 48, "t": 36, "b": 56}, bargap=0.35)
    drawn["xaxis"] |= {"range": [0, 1]}
    ticks = named_places(f"{short(name)} ({count:,})" for name, count in zip(names, counts, strict=True))
    drawn["yaxis"] = axis(autorange="reversed", **ticks)
    by_rule = ", by the decision rule" if rule != key else ""
    without = f", of which there are none of {', '.join(absent)}" if absent else ""
    label = (
        f"F1 of each class on the {split} split{by_rule}, with its number of spectra{without}; macro-F1 is the mean of "
        "the bars."
    )
    return Figure("best-f1", label, {"data": [bars], "layout": drawn}, height_px=134 + 34 * len(names))


def rare_classes(labels: "pd.Series[Any]", names: list[str]) -> list[str]:
    """Classes with fewer spectra than an even share, rarest first; all that have some if none is rare."""
    counts = {name: int((labels == name).sum()) for name in names}
    there = sorted((name for name in names if counts[name]), key=counts.__getitem__)
    return [name for name in there if counts[name] < len(labels) / len(names)] or there


def precision_recall(predictions: pd.DataFrame, names: list[str]) -> Figure | None:
    """One curve per rare class; None if the split has a single class, or no probabilities."""
    labels = predictions["label"]
    predicted_names = [name for name in names if f"probability/{name}" in predictions]
    rare = [name for name in rare_classes(labels, names) if name in predicted_names] if len(labels) else []
    if labels.nunique() < 2 or not rare:
        return None
    data = []
    for place, name in enumerate(rare[:MOST_CURVES]):
        is_it = (labels == name).to_numpy()
        data += _curve(name, is_it, predictions, COLOURS[place % len(COLOURS)])
    drawn = layout("recall", "precision")
    drawn["xaxis"] |= {"range": [0, 1.02]}
    drawn["yaxis"] |= {"range": [0, 1.04]}
    some = f" The {MOST_CURVES} rarest of {len(rare)} are drawn." if len(rare) > MOST_CURVES else ""
    label = (
        "Precision against recall of each rare class when its probability alone decides, from strict on the left to "
        f"lenient on the right; the dots are what the run decided.{some}"
    )
    return Figure("best-precision-recall", label, {"data": data, "layout": drawn}, height_px=400)


def _curve(name: str, is_it: NDArray[np.bool_], predictions: pd.DataFrame, colour: str) -> list[dict[str, Any]]:
    from sklearn.metrics import precision_recall_curve

    probability = np.nan_to_num(predictions[f"probability/{name}"].to_numpy(np.float64))
    precision, recall, _ = precision_recall_curve(is_it, probability)
    chosen = _thinned(recall)
    curve = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{short(name)} ({is_it.sum():,} spectra)",
        "x": numbers(recall[chosen]),
        "y": numbers(precision[chosen]),
        "line": {"color": colour, "width": 2},
        "hovertemplate": "recall %{x:.3f}, precision %{y:.3f}<extra></extra>",
    }
    called = (predictions["predicted"] == name).to_numpy()
    both = int((called & is_it).sum())
    dot = {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "x": numbers([both / is_it.sum()]),
        "y": numbers([both / called.sum() if called.any() else None]),
        "text": [f"{text(name)}, as the run decided"],
        "hoverinfo": "text",
        "marker": {"color": colour, "size": 10, "line": {"color": "black", "width": 1}},
    }
    return [curve, dot]


def _thinned(recall: NDArray[Any]) -> NDArray[np.int64]:
    """Places of points evenly along the recall, the ends among them."""
    if len(recall) <= MOST_POINTS:
        return np.arange(len(recall))
    wanted = np.linspace(recall[0], recall[-1], MOST_POINTS)
    # Recall falls along the curve.
    places = len(recall) - 1 - np.searchsorted(recall[::-1], wanted)
    return np.unique(np.clip(places, 0, len(recall) - 1))

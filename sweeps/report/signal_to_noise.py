"""F1 by signal-to-noise, where the survey knows it. K classes."""

from typing import Any

import numpy as np
import pandas as pd

from sweeps.report.figures import COLOURS, layout, line, numbers, short
from sweeps.report.section import Figure

CATALOG_NAME = "snr"
MOST_BINS = 6
FEWEST = 5  # spectra of a class in a bin, for its F1 to be drawn
FEWEST_IN_BIN = 20
BLACK = COLOURS[6]  # macro-F1's own
CLASS_COLOURS = [colour for colour in COLOURS if colour != BLACK]


def f1_by_snr(catalog: pd.DataFrame, predictions: pd.DataFrame, names: list[str]) -> Figure | None:
    """None where the survey's catalog does not know the signal-to-noise of at least two bins of spectra."""
    if CATALOG_NAME not in catalog:
        return None
    joined = predictions.merge(catalog[["id", CATALOG_NAME]], on="id")
    joined = joined[np.isfinite(joined[CATALOG_NAME].to_numpy(np.float64, na_value=np.nan))]
    num_bins = min(MOST_BINS, len(joined) // FEWEST_IN_BIN)
    if num_bins < 2:
        return None
    bins = pd.qcut(joined[CATALOG_NAME], num_bins, duplicates="drop")
    table = [_row(group, names) for _, group in joined.groupby(bins, observed=True)]
    if len(table) < 2:
        return None
    x = [_name(row["low"], row["high"], row["count"]) for row in table]
    data = [
        line(short(name), x, numbers(row[f"f1/{name}"] for row in table), colour, mode="lines+markers")
        for name, colour in zip(_shown(predictions, names), CLASS_COLOURS, strict=False)
    ]
    macro = line("macro-F1", x, numbers(row["macro"] for row in table), BLACK, mode="lines+markers")
    macro["line"]["width"] = 4
    drawn = layout("signal-to-noise of the spectra (equally many in each bin)", "F1")
    drawn["yaxis"] |= {"range": [0, 1.04]}
    label = (
        f"F1 by signal-to-noise, faint spectra on the left; macro-F1 is over the classes with at least {FEWEST} "
        "spectra in the bin."
    )
    return Figure("best-snr", label, {"data": [*data, macro], "layout": drawn}, height_px=400)


def _shown(predictions: pd.DataFrame, names: list[str]) -> list[str]:
    """The rarest classes, as many as there are colours, in their own order."""
    counts = predictions["label"].value_counts()
    chosen = sorted(names, key=lambda name: counts.get(name, 0))[: len(CLASS_COLOURS)]
    return [name for name in names if name in chosen]


def _row(group: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    scores = f1_score(group["label"], group["predicted"], labels=names, average=None, zero_division=0)
    supports = [int((group["label"] == name).sum()) for name in names]
    known = {name: score if num >= FEWEST else None for name, score, num in zip(names, scores, supports, strict=True)}
    there = [score for score in known.values() if score is not None]
    snr = group[CATALOG_NAME]
    return {
        **{f"f1/{name}": score for name, score in known.items()},
        "macro": float(np.mean(there)) if there else None,
        "low": snr.min(),
        "high": snr.max(),
        "count": len(group),
    }


def _name(low: float, high: float, count: int) -> str:
    return f"{low:.3g} to {high:.3g}<br>{count:,} spectra"

"""F1 by signal-to-noise, if the survey knows it. K classes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweeps.report.figures.style import COLOURS, layout, line, numbers, short
from sweeps.report.section import Figure

CATALOG_NAME = "snr"
MOST_BINS = 6
FEWEST = 5  # spectra of a class in a bin, for its F1 to be drawn
FEWEST_IN_BIN = 20
BLACK = COLOURS[6]  # macro-F1's own
CLASS_COLOURS = [colour for colour in COLOURS if colour != BLACK]


@dataclass(frozen=True)
class Bin:
    """Spectra of similar signal-to-noise.

    Args:
        scores: class -> F1; None if the bin has too few spectra of the class.
        macro: their mean; None unless every class has one.
    """

    name: str
    scores: dict[str, float | None]
    macro: float | None


def f1_by_snr(catalog: pd.DataFrame, predictions: pd.DataFrame, names: list[str]) -> Figure | None:
    """None if the survey's catalog does not know the signal-to-noise of at least two bins of spectra."""
    if CATALOG_NAME not in catalog:
        return None
    joined = predictions.merge(catalog[["id", CATALOG_NAME]], on="id")
    joined = joined[np.isfinite(joined[CATALOG_NAME])]
    there = [name for name in names if (joined["label"] == name).any()]
    table = _table(joined, there)
    if len(table) < 2:
        return None
    x = [row.name for row in table]
    drawn_classes = [name for name in _shown(joined, there) if any(row.scores[name] is not None for row in table)]
    data = [
        line(short(name), x, numbers(row.scores[name] for row in table), colour, mode="lines+markers")
        for name, colour in zip(drawn_classes, CLASS_COLOURS, strict=False)
    ]
    if any(row.macro is not None for row in table):
        macro = line("macro-F1", x, numbers(row.macro for row in table), BLACK, mode="lines+markers")
        macro["line"]["width"] = 4
        data.append(macro)
    if not data:
        return None
    # A single line has no name otherwise.
    drawn = layout("signal-to-noise of the spectra", "F1", showlegend=True)
    drawn["yaxis"] |= {"range": [0, 1.04]}
    label = " ".join(
        [
            "F1 by signal-to-noise, faint spectra on the left, equally many in each bin.",
            *_left_out(table, there, drawn_classes),
        ]
    )
    return Figure("best-snr", label, {"data": data, "layout": drawn}, height_px=400)


def _table(joined: pd.DataFrame, names: list[str]) -> list[Bin]:
    """A row per bin: of as many bins as leave each class enough spectra in each, or of as many as there can be."""
    most = min(MOST_BINS, len(joined) // FEWEST_IN_BIN)
    tables = []
    for num_bins in range(most, 1, -1):
        bins = pd.qcut(joined[CATALOG_NAME], num_bins, duplicates="drop")
        table = [_bin(group, names) for _, group in joined.groupby(bins, observed=True)]
        if len(table) > 1 and all(row.macro is not None for row in table):
            return table
        tables.append(table)
    return tables[0] if tables else []


def _left_out(table: list[Bin], names: list[str], drawn: list[str]) -> list[str]:
    """What is not drawn, in sentences."""
    said = []
    if any(row.scores[name] is None for name in drawn for row in table):
        said.append(f"Where a bin has fewer than {FEWEST} spectra of a class, its F1 there is left out.")
    if absent := [name for name in names if all(row.scores[name] is None for row in table)]:
        said.append(f"No bin has {FEWEST} spectra of {', '.join(absent)}.")
    if crowded := [name for name in names if name not in drawn and name not in absent]:
        said.append(f"The {len(drawn)} rarest classes are drawn, {len(crowded)} are not.")
    num_whole = sum(row.macro is not None for row in table)
    if num_whole < len(table):
        where = f"drawn in the {num_whole} of {len(table)} bins that have" if num_whole else "not drawn: no bin has"
        said.append(f"macro-F1 is {where} {FEWEST} spectra of each class.")
    return said


def _shown(joined: pd.DataFrame, names: list[str]) -> list[str]:
    """The rarest classes, as many as there are colours, in their own order."""
    counts = joined["label"].value_counts()
    chosen = sorted(names, key=lambda name: counts[name])[: len(CLASS_COLOURS)]
    return [name for name in names if name in chosen]


def _bin(group: pd.DataFrame, names: list[str]) -> Bin:
    from sklearn.metrics import f1_score

    scores = f1_score(group["label"], group["predicted"], labels=names, average=None, zero_division=0)
    supports = [int((group["label"] == name).sum()) for name in names]
    by_class = {
        name: score if num >= FEWEST else None for name, score, num in zip(names, scores, supports, strict=True)
    }
    snr = group[CATALOG_NAME]
    name = f"{snr.min():.3g} to {snr.max():.3g}<br>{len(group):,} spectra"
    return Bin(name, by_class, float(np.mean(scores)) if min(supports) >= FEWEST else None)

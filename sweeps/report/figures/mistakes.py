"""Which spectra a run gets wrong: by subclass and by redshift, if the survey's catalog knows them."""

import numpy as np
import pandas as pd

from sweeps.report.figures.style import COLOURS, axis, layout, named_places, number, short, text
from sweeps.report.section import Figure

MOST_SUBCLASSES = 20
MOST_BINS = 6
FEWEST = 5  # spectra of a subclass, for its share to say something
FEWEST_IN_BIN = 20
NARROW = 0.02  # a class within such a range of redshifts, stars say, is one point
WRONG = {"range": [0, 1.04], "tickformat": ".0%"}


def mistakes_by_subclass(catalog: pd.DataFrame, predictions: pd.DataFrame, names: list[str]) -> Figure | None:
    """The share of each subclass that is misclassified; None if the catalog has no two subclasses."""
    joined = _joined(catalog, predictions, "subclass")
    if joined is None or joined["subclass"].nunique() < 2:
        return None
    by_subclass = joined.groupby(["label", "subclass"], observed=True)
    everything = [((str(label), str(kind)), group) for (label, kind), group in by_subclass]
    groups = [(key, group) for key, group in everything if len(group) >= FEWEST]
    groups.sort(key=lambda found: (-_num_wrong(found[1]), -len(found[1])))
    if not groups:
        return None
    drawn = groups[:MOST_SUBCLASSES][::-1]  # Plotly draws the first at the bottom
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [number(_num_wrong(group) / len(group)) for _, group in drawn],
        "y": list(range(len(drawn))),
        "text": [f"{_num_wrong(group):,} of {len(group):,}" for _, group in drawn],
        # Plotly draws no text within a bar of length 0.
        "textposition": ["auto" if _num_wrong(group) else "outside" for _, group in drawn],
        "hovertext": [f"{_subclass(key)}: {_told(group)}" for key, group in drawn],
        "hoverinfo": "text",
        "marker": {"color": [_colour(key[0], names) for key, _ in drawn]},
    }
    more = f" The {len(drawn)} of {len(groups)} with most mistakes are drawn." if len(drawn) < len(groups) else ""
    few = _left_out("Subclasses", FEWEST, [group for _, group in everything if len(group) < FEWEST])
    label = f"The share of each subclass that is misclassified, most mistakes on top, coloured by class.{more}{few}"
    shown = layout("misclassified", margin={"l": 64, "r": 24, "t": 36, "b": 56}, showlegend=False)
    shown["xaxis"] |= WRONG
    shown["yaxis"] |= named_places(_subclass(key) for key, _ in drawn)
    return Figure("best-subclass", label, {"data": [bars], "layout": shown}, height_px=120 + 28 * len(drawn))


def mistakes_by_redshift(catalog: pd.DataFrame, predictions: pd.DataFrame, names: list[str]) -> Figure | None:
    """The share of each class that is misclassified, by redshift; None if no class has two bins of spectra."""
    joined = _joined(catalog, predictions, "redshift")
    if joined is None:
        return None
    joined = joined[np.isfinite(joined["redshift"])]
    by_class = {name: _bins(joined[joined["label"] == name]) for name in names}
    if max(map(len, by_class.values()), default=0) < 2:
        return None
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": short(name),
            "x": [number(group["redshift"].median()) for group in bins],
            "y": [number(_num_wrong(group) / len(group)) for group in bins],
            "text": [
                f"{text(name)}, z {group['redshift'].min():.3g} to {group['redshift'].max():.3g}: {_told(group)}"
                for group in bins
            ],
            "hoverinfo": "text",
            "line": {"color": _colour(name, names), "width": 2},
        }
        for name, bins in by_class.items()
        if bins
    ]
    shown = layout("redshift (median of the bin)", showlegend=True)
    shown["yaxis"] = axis("misclassified", **WRONG)
    few = _left_out("Classes", FEWEST_IN_BIN, [joined[joined["label"] == name] for name in names if not by_class[name]])
    label = (
        f"The share of each class that is misclassified, by redshift, in bins of {FEWEST_IN_BIN} spectra or more.{few}"
    )
    return Figure("best-redshift", label, {"data": data, "layout": shown}, height_px=400)


def _joined(catalog: pd.DataFrame, predictions: pd.DataFrame, column: str) -> pd.DataFrame | None:
    """Labelled predictions with a column of the catalog, whatever its case there; None if it has none."""
    there = {str(name).lower(): name for name in catalog}
    if column not in there:
        return None
    known = catalog[["id", there[column]]].rename(columns={there[column]: column})
    joined = predictions.merge(known, on="id")
    return joined[joined["label"].notna() & joined[column].notna() & (joined[column].astype(str).str.strip() != "")]


def _bins(group: pd.DataFrame) -> list[pd.DataFrame]:
    """Spectra of a class in bins of equally many, by redshift; none if they are too few."""
    redshift = group["redshift"]
    most = min(MOST_BINS, len(group) // FEWEST_IN_BIN)
    if most < 2 or redshift.max() - redshift.min() < NARROW:
        return [group] if most else []
    return [found for _, found in group.groupby(pd.qcut(redshift, most, duplicates="drop"), observed=True)]


def _left_out(which: str, fewest: int, groups: list[pd.DataFrame]) -> str:
    """How many mistakes are in groups that are not drawn; begins with a space, empty if they have no spectra."""
    num, num_wrong = sum(map(len, groups)), sum(map(_num_wrong, groups))
    if not num:
        return ""
    return f" {which} with fewer than {fewest} spectra are left out: {num_wrong:,} of their {num:,} are misclassified."


def _num_wrong(group: pd.DataFrame) -> int:
    return int((group["label"] != group["predicted"]).sum())


def _told(group: pd.DataFrame) -> str:
    """How many are wrong, and what they are most often taken for."""
    taken = group["predicted"][group["label"] != group["predicted"]].value_counts()
    most = f", most often taken for {text(taken.index[0])}" if len(taken) else ""
    return f"{_num_wrong(group):,} of {len(group):,} misclassified{most}"


def _subclass(key: tuple[str, str]) -> str:
    return short(f"{key[0]}: {key[1]}", 28)


def _colour(name: str, names: list[str]) -> str:
    return COLOURS[names.index(name) % len(COLOURS)] if name in names else COLOURS[0]

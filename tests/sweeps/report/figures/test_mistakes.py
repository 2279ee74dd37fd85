"""Mistakes by subclass and by redshift, against counts of a table made by hand."""

import numpy as np
import pandas as pd

from sweeps.report.figures.mistakes import mistakes_by_redshift, mistakes_by_subclass

NAMES = ["star", "qso"]


def split(num: int = 80) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Catalog and predictions: stars are right; of the quasars the bal ones, at high redshift, are half wrong."""
    rows = np.arange(2 * num)
    label = np.where(rows < num, "star", "qso")
    is_bal = rows >= num + num // 2
    subclass = np.where(label == "star", "dwarf", np.where(is_bal, "bal", "broad"))
    redshift = np.where(label == "star", 0.0, (rows - num) / num * 4)
    predicted = np.where(is_bal & (rows % 2 == 0), "star", label)
    ids = [f"s{row}" for row in rows]
    catalog = pd.DataFrame({"id": ids, "subclass": subclass, "redshift": redshift})
    return catalog.sample(frac=1), pd.DataFrame({"id": ids, "label": label, "predicted": predicted})


def test_the_subclass_with_most_mistakes_is_on_top() -> None:
    catalog, predictions = split()
    figure = mistakes_by_subclass(catalog, predictions, NAMES)
    assert figure is not None
    bars = figure.content["data"][0]
    names = figure.content["layout"]["yaxis"]["ticktext"]
    assert bars["y"] == [0, 1, 2] and bars["x"][-1] == 0.5 and bars["text"][-1] == "20 of 40"
    assert names[-1] == "qso: bal" and sorted(names) == ["qso: bal", "qso: broad", "star: dwarf"]
    assert bars["x"][:2] == [0, 0]
    assert "most often taken for star" in bars["hovertext"][-1]


def test_mistakes_in_small_groups_are_counted_and_no_mistake_is_written() -> None:
    """All are right but three of four spectra, of a class of their own and two subclasses."""
    catalog, predictions = split()
    predictions["predicted"] = predictions["label"]
    few = pd.DataFrame({"id": [f"few{k}" for k in range(4)], "subclass": ["wr", "wr", "cv", "cv"], "redshift": 0.0})
    wrong = few[["id"]].assign(label="rare", predicted=["star", "star", "star", "rare"])
    catalog, predictions = pd.concat([catalog, few]), pd.concat([predictions, wrong])
    for figure, which in (
        (mistakes_by_subclass(catalog, predictions, [*NAMES, "rare"]), "Subclasses with fewer than 5"),
        (mistakes_by_redshift(catalog, predictions, [*NAMES, "rare"]), "Classes with fewer than 20"),
    ):
        assert figure is not None
        assert figure.label.endswith(f" {which} spectra are left out: 3 of their 4 are misclassified.")
    bars = mistakes_by_subclass(*split(), NAMES)
    assert bars is not None and "left out" not in bars.label
    drawn = bars.content["data"][0]
    assert list(zip(drawn["text"], drawn["textposition"], strict=True)) == [
        ("0 of 40", "outside"),
        ("0 of 80", "outside"),
        ("20 of 40", "auto"),
    ]


def test_subclasses_whose_names_begin_alike_have_a_bar_each() -> None:
    catalog, predictions = split()
    catalog["subclass"] = "starforming broadline galaxy, " + catalog["subclass"]
    figure = mistakes_by_subclass(catalog, predictions, NAMES)
    assert figure is not None
    names = figure.content["layout"]["yaxis"]["ticktext"]
    assert len(set(names)) < 3 and figure.content["data"][0]["y"] == [0, 1, 2]


def test_each_class_has_its_share_of_mistakes_by_redshift() -> None:
    catalog, predictions = split()
    figure = mistakes_by_redshift(catalog, predictions, NAMES)
    assert figure is not None
    lines = {line["name"]: line for line in figure.content["data"]}
    assert lines["star"]["y"] == [0]  # at one redshift: one point
    assert lines["qso"]["y"] == [0, 0, 0.5, 0.5] and lines["qso"]["x"] == sorted(lines["qso"]["x"])


def test_a_catalog_without_subclass_or_redshift_has_no_such_figure() -> None:
    catalog, predictions = split()
    assert mistakes_by_subclass(catalog[["id"]], predictions, NAMES) is None
    assert mistakes_by_redshift(catalog[["id"]], predictions, NAMES) is None
    assert mistakes_by_subclass(catalog.assign(subclass=""), predictions, NAMES) is None
    assert mistakes_by_redshift(catalog.assign(redshift=0.0), predictions, NAMES) is None


def test_names_of_columns_are_found_in_any_case() -> None:
    catalog, predictions = split()
    assert mistakes_by_subclass(catalog.rename(columns={"subclass": "SUBCLASS"}), predictions, NAMES) is not None

"""The best run: its curves, classes, confusion, reliability and signal-to-noise, against independent counts."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_studies import CLASSES, Made, figure, make_report, make_run, names, predictions, trace
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score

from sweeps.report.figures.confusion import confusion_figures
from sweeps.report.figures.per_class import precision_recall, rare_classes
from sweeps.report.figures.reliability import reliability
from sweeps.report.figures.signal_to_noise import f1_by_snr
from sweeps.report.read_study import read_report
from sweeps.report.section import Section
from sweeps.report.sections import best_run

CURVES = [
    {"epoch": 1, "stage": "train", "lr": 0.1, "train/loss": 3.0, "val/macro_f1": 0.2},
    {"epoch": 2, "stage": "train", "lr": 0.05, "train/loss": float("nan"), "val/macro_f1": 0.4},
    {"epoch": 3, "stage": "<i>fine</i>", "lr": 0.01, "train/loss": 0.5, "val/macro_f1": 0.3},
]


def section_of(folder: Path, **run: Any) -> Section | None:
    run = {"result": {"val/macro_f1": 0.4}} | run
    return best_run.section(make_report(folder / "study", [Made({"x": 1}, [0.4], runs=[run])]))


def test_curves_show_the_stages_and_the_best_epoch(tmp_path: Path) -> None:
    section = section_of(tmp_path, metrics=CURVES, result={"best_epoch": 2})
    content = figure(section, "best-curves")
    assert trace(content, "training loss")["y"] == [3.0, None, 0.5]
    assert trace(content, "learning rate")["y"] == [0.1, 0.05, 0.01]
    assert sorted(shape["x0"] for shape in content["layout"]["shapes"]) == [2, 2.5]
    assert [note["text"] for note in content["layout"]["annotations"]] == ["train", "&lt;i&gt;fine&lt;/i&gt;"]


def test_a_run_without_validation_shows_its_remaining_curves(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if "val" not in key} for row in CURVES]
    section = section_of(tmp_path, metrics=rows, result={"train/loss": 0.5})
    assert [line["name"] for line in figure(section, "best-curves")["data"]] == ["training loss", "learning rate"]
    assert names(section) == ["best-curves"] and section and "no predictions" in section.html
    assert "dashed lines are where a new stage began" in section.html
    of_one_stage = section_of(tmp_path / "one", metrics=rows[:2])
    assert of_one_stage and "dashed" not in of_one_stage.html


@pytest.mark.parametrize(
    ("keep", "chosen"), [("best", "the best epoch and the best trial were"), ("last", "the best trial was")]
)
def test_scores_on_validation_come_with_what_was_chosen_by_them(keep: str, chosen: str, tmp_path: Path) -> None:
    result = {"config": {"schedule": {"keep": keep}}}
    section = section_of(tmp_path, predictions=predictions(100, 0.3, split="validation"), result=result)
    assert section is not None
    assert f"<b>validation</b> split, by which {chosen} chosen, so they are optimistic." in section.html


def test_what_validation_did_not_choose_is_not_called_chosen_by_it(tmp_path: Path) -> None:
    """The trials were judged by a training loss; a classical method has no epochs."""
    scored = predictions(100, 0.3, split="validation")
    trials = [Made({"x": 1}, [0.4], runs=[{"result": {"train/loss": 0.4}, "predictions": scored}])]
    of_loss = make_report(tmp_path / "study", trials, objectives=["train/loss"], directions=["minimize"])
    make_run(tmp_path / "baseline", {"val/macro_f1": 0.4, "method": "boosting"}, predictions=scored)
    for report in (of_loss, read_report(str(tmp_path / "baseline"))):
        section = best_run.section(report)
        assert section and "below, scores are on the <b>validation</b> split." in section.html


@pytest.mark.parametrize("split", ["test", "validation"])
def test_the_test_split_is_shown_if_it_was_scored(split: str, tmp_path: Path) -> None:
    tables = [predictions(100, 0.3, split="validation")]
    if split == "test":
        tables.append(predictions(150, 0.2, split="test"))
    section = section_of(tmp_path, predictions=pd.concat(tables))
    assert section is not None
    assert ("The test split was not read" in section.html) == (split == "validation")
    rows = figure(section, "best-confusion-rows")["data"][0]
    shown = [[int(cell.split("<br>")[1]) for cell in row] for row in rows["text"]]
    assert shown == confusion_matrix(tables[-1]["label"], tables[-1]["predicted"], labels=list(CLASSES)).tolist()


def test_confusion_is_shown_by_row_and_by_column() -> None:
    counts = np.array([[8, 2], [0, 0]])
    by_row, by_column = (f.content["data"][0]["z"] for f in confusion_figures(counts, ["a", "b"]))
    assert by_row == [[0.8, 0.2], [0, 0]] and by_column == [[1, 1], [0, 0]]


def test_many_classes_have_no_counts_in_the_cells() -> None:
    classes = [f"class {k}" for k in range(30)]
    shown = confusion_figures(np.eye(30, dtype=np.int64) * 5, classes)[0]
    assert shown.content["data"][0]["texttemplate"] == "" and "Counts in the cells" not in shown.label


def test_the_f1_of_each_class_is_shown_with_its_support(tmp_path: Path) -> None:
    scores = {"val/f1/star": 0.9, "val/f1/galaxy": 0.5, "val/f1/qso": 0.0, "val/num_spectra/star": 1234}
    content = figure(section_of(tmp_path, result=scores), "best-f1")
    bars = content["data"][0]
    assert bars["x"] == [0.9, 0.5, 0.0] and bars["y"] == [0, 1, 2]
    assert content["layout"]["yaxis"]["ticktext"][0] == "star (1,234)"


def test_a_class_without_spectra_has_no_bar(tmp_path: Path) -> None:
    scores = {"val/f1/star": 0.9, "val/f1/galaxy": 0.5, "val/f1/qso": 0.0, "val/macro_f1": 0.7}
    counts = {f"val/num_spectra/{name}": num for name, num in (("star", 8), ("galaxy", 2), ("qso", 0))}
    section = section_of(tmp_path, result=scores | counts)
    bars = figure(section, "best-f1")["data"][0]
    assert bars["x"] == [0.9, 0.5, None] and np.mean(bars["x"][:2]) == pytest.approx(scores["val/macro_f1"])
    (label,) = [drawn.label for drawn in section.figures if drawn.name == "best-f1"] if section else [""]
    assert "of which there are none of qso; macro-F1 is the mean of the bars" in label


def test_classes_whose_names_begin_alike_have_a_bar_each(tmp_path: Path) -> None:
    classes = ["emission line galaxy, narrow", "emission line galaxy, broad"]
    survey = {"class_names": classes}
    scores = {f"val/f1/{name}": 0.5 for name in classes} | {"survey": survey}
    content = figure(section_of(tmp_path, result=scores), "best-f1")
    assert content["layout"]["yaxis"]["ticktext"] == ["emission line gal… (0)"] * 2
    assert content["data"][0]["hovertext"] == [f"{name}, 0 spectra" for name in classes]
    assert content["layout"]["yaxis"]["tickvals"] == content["data"][0]["y"] == [0, 1]


@pytest.mark.parametrize(
    ("labels", "rare"),
    [("aaaaaabbc", ["c", "b"]), ("aabb", ["a", "b"]), ("aaaa", ["a"]), ("abbbbb", ["a"])],
)
def test_rare_classes_are_marked(labels: str, rare: list[str]) -> None:
    assert rare_classes(pd.Series(list(labels)), sorted(set(labels))) == rare


def test_thinning_keeps_precision_and_recall() -> None:
    table = predictions(5000, 0.3)
    shown = precision_recall(table, list(CLASSES))
    assert shown is not None
    curves = {line["name"]: line for line in shown.content["data"] if line["mode"] == "lines"}
    assert list(curves) == ["qso (666 spectra)", "galaxy (667 spectra)"]
    for line in curves.values():
        assert len(line["x"]) <= 201 and (line["x"][0], line["x"][-1]) == (1, 0)
    area = -np.trapezoid(curves["qso (666 spectra)"]["y"], curves["qso (666 spectra)"]["x"])
    assert area == pytest.approx(average_precision_score(table["label"] == "qso", table["probability/qso"]), abs=0.01)


def test_a_split_of_one_class_has_no_precision_recall_curve(tmp_path: Path) -> None:
    table = predictions(60).assign(label="star")
    assert precision_recall(table, list(CLASSES)) is None
    assert "best-reliability" in names(section_of(tmp_path, predictions=table))


def test_reliability_of_known_probabilities() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 20_000)
    right = rng.random(20_000) < sure
    table = pd.DataFrame({"label": np.where(right, "a", "b"), "predicted": "a", "probability/a": sure})
    shown = reliability(table)
    assert shown is not None
    dots, bars = trace(shown.content, "this run"), trace(shown.content, "spectra")
    assert sum(bars["y"]) == 20_000 and len(bars["y"]) == 5
    assert dots["y"] == pytest.approx(dots["x"], abs=0.03)  # 4,000 draws in a bin: three standard deviations are 0.024
    assert reliability(table.drop(columns="probability/a")) is None


def test_a_probability_of_one_is_in_the_last_bin() -> None:
    table = pd.DataFrame({"label": ["a", "a"], "predicted": ["a", "a"], "probability/a": [1.0, float("nan")]})
    shown = reliability(table)
    assert shown is not None and trace(shown.content, "spectra")["y"] == [1]


def test_f1_is_shown_by_signal_to_noise() -> None:
    table = predictions(600, 0.3)
    catalog = pd.DataFrame({"id": table["id"], "snr": np.arange(600.0)})
    catalog.loc[0, "snr"] = np.nan
    shown = f1_by_snr(catalog.sample(frac=1), table, list(CLASSES))
    assert shown is not None
    last = table[500:]
    expected = f1_score(last["label"], last["predicted"], labels=list(CLASSES), average=None)
    drawn = [trace(shown.content, name)["y"][-1] for name in (*CLASSES, "macro-F1")]
    assert drawn == pytest.approx([*expected, expected.mean()], rel=1e-4)


def split_of(counts: dict[str, list[int]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Catalog and predictions of spectra sorted by S/N: so many of each class in each sixth of the split."""
    labels = [name for sixth in range(6) for name, nums in counts.items() for _ in range(nums[sixth])]
    ids = [f"s{row}" for row in range(len(labels))]
    catalog = pd.DataFrame({"id": ids, "snr": np.arange(float(len(labels)))})
    return catalog, pd.DataFrame({"id": ids, "label": labels, "predicted": labels})


def test_macro_f1_by_signal_to_noise_is_of_all_classes() -> None:
    """The few quasars are enough for three bins, not for six."""
    shown = f1_by_snr(*split_of({"star": [50] * 6, "galaxy": [30] * 6, "qso": [3] * 6}), list(CLASSES))
    assert shown is not None
    assert {line["name"]: len(line["y"]) for line in shown.content["data"]} == dict.fromkeys([*CLASSES, "macro-F1"], 3)
    assert all(None not in line["y"] for line in shown.content["data"])
    assert shown.label.endswith("equally many in each bin.")


def test_there_is_no_macro_f1_if_a_class_is_missing() -> None:
    # All quasars are bright: no number of bins has five in each.
    shown = f1_by_snr(*split_of({"star": [60] * 6, "galaxy": [20] * 6, "qso": [0] * 5 + [20]}), list(CLASSES))
    assert shown is not None
    drawn = {line["name"]: line["y"] for line in shown.content["data"]}
    assert drawn["qso"] == drawn["macro-F1"] == [None] * 5 + [1] and None not in drawn["star"]
    assert "macro-F1 is drawn in the 1 of 6 bins that have 5 spectra of each class." in shown.label


def test_a_class_of_very_few_spectra_is_named_and_not_drawn() -> None:
    shown = f1_by_snr(*split_of({"star": [60] * 6, "galaxy": [20] * 6, "qso": [1, 0, 0, 0, 0, 1]}), list(CLASSES))
    assert shown is not None
    assert [line["name"] for line in shown.content["data"]] == ["star", "galaxy"]
    assert "No bin has 5 spectra of qso." in shown.label
    assert "macro-F1 is not drawn: no bin has 5 spectra of each class." in shown.label


@pytest.mark.parametrize("snr", [None, [5.0] * 200, [float("nan")] * 200])
def test_unusable_signal_to_noise_is_not_drawn(snr: Any) -> None:
    table = predictions(200)
    catalog = pd.DataFrame({"id": table["id"]} | ({} if snr is None else {"snr": snr}))
    assert f1_by_snr(catalog, table, list(CLASSES)) is None


def test_a_missing_survey_is_reported(tmp_path: Path) -> None:
    section = section_of(tmp_path, predictions=predictions())
    assert section is not None and "the packed survey is gone or has changed" in section.html
    json.dumps([f.content for f in section.figures], allow_nan=False)

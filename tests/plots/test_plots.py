"""The pictures of a run: complete files for any run. Their content is tested with the code that computes it."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from PIL import Image
from sklearn.metrics import precision_recall_curve
from small_runs import run, stages

from spectral.plots import curves as curves_module
from spectral.plots import misclassified, precision_recall
from spectral.plots.confusion import draw_confusion
from spectral.plots.curves import draw_curves, scale_rates
from spectral.plots.misclassified import most_confident_mistakes
from spectral.plots.precision_recall import MAX_POINTS, Curve, curves, draw_precision_recall
from spectral.plots.style import figure, styled

Overrides = Callable[..., list[str]]


def check_picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "PNG" and min(picture.size) > 150
        darkest, lightest = picture.convert("L").getextrema()
        assert darkest < 100 and lightest == 255  # something is drawn on white


def test_a_run_of_two_stages_writes_its_pictures(
    small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misclassified, "NUM_SHOWN", 2)
    two = stages({"name": "first", "epochs": 1, "steps": 2}, {"name": "second", "epochs": 1, "steps": 2})
    run([*small(two), "plots=true"])
    folder = tmp_path / "run" / "plots"
    for name in ("curves", "confusion", "precision_recall"):
        check_picture(folder / f"{name}.png")
    wrong = pd.read_parquet(tmp_path / "run" / "predictions.parquet").query("split == 'test' and label != predicted")
    shown = sorted(folder.glob("misclassified/*.png"))
    assert len(shown) == min(len(wrong), 2) > 0
    check_picture(shown[0])
    assert not list(folder.rglob(".*"))  # no half of a file


@pytest.mark.parametrize(
    "rates", [[8e-3, 2e-3], [3e-4, 3e-4], [2e-3, 1.5e-4], [9e-3, 1.1e-4], [1e-3, 1e-6], [1e-3, 0.0]]
)
def test_rates_are_drawn_with_numbers(rates: list[float]) -> None:
    """However narrow their range is."""
    drawn, axes = figure(8, 1.6)
    axes.plot(rates)
    scale_rates(axes, rates)
    drawn.draw_without_rendering()
    low, high = axes.get_ylim()
    ticks = [*axes.yaxis.get_major_ticks(), *axes.yaxis.get_minor_ticks()]
    shown = {tick.get_loc(): tick.label1.get_text() for tick in ticks if low <= tick.get_loc() <= high}
    numbers = {place: text for place, text in shown.items() if text}
    assert 2 <= len(numbers) <= 9
    assert [float(text.replace("\N{MINUS SIGN}", "-")) for text in numbers.values()] == pytest.approx(list(numbers))


@pytest.mark.slow
def test_pictures_of_mistakes_of_another_split_go(small: Overrides, tmp_path: Path) -> None:
    """Those of validation, once the test split is scored and has fewer mistakes."""
    run([*small("score_test=false"), "plots=true"])
    stale = tmp_path / "run" / "plots" / "misclassified" / "99.png"
    stale.touch()
    run([*small("score_test=true"), "plots=true"])
    assert not stale.exists() and list(stale.parent.glob("*.png"))


@pytest.mark.slow
def test_the_picture_of_many_classes_is_no_larger_than_a_page(tmp_path: Path) -> None:
    names = [f"subclass {k}" for k in range(80)]
    counts = np.eye(80, dtype=int).tolist()
    draw_confusion(tmp_path / "many.png", {"val": counts, "test": counts}, names)
    check_picture(tmp_path / "many.png")
    with Image.open(tmp_path / "many.png") as picture:
        assert max(picture.size) <= 3800


def test_a_run_without_scores_draws_what_it_can(small: Overrides, tmp_path: Path) -> None:
    without = [o for o in small() if not o.startswith("split.")]
    run([*without, "split.validation=0", "split.test=0", "objective=train/loss", "plots=true"])
    assert [path.name for path in (tmp_path / "run" / "plots").iterdir()] == ["curves.png"]


def test_class_names_in_any_script_are_drawn(tmp_path: Path) -> None:
    """Matplotlib reads mathematics between dollars."""
    draw_confusion(tmp_path / "a.png", {"test": [[1, 2], [0, 0]]}, ["$\\alpha", "<b>&_^"])
    check_picture(tmp_path / "a.png")


def test_the_most_confident_mistakes_come_first() -> None:
    frame = pd.DataFrame(
        {
            "id": list("abcd"),
            "label": ["x", "x", "y", "y"],
            "predicted": ["y", "x", "x", "x"],
            "probability/x": [0.4, 0.9, 0.7, 0.95],
            "probability/y": [0.6, 0.1, 0.3, 0.05],
        }
    )
    found = most_confident_mistakes(frame, ["x", "y"])
    assert found["id"].tolist() == ["d", "c", "a"]
    assert found["confidence"].tolist() == [0.95, 0.7, 0.6]


def test_a_thinned_curve_is_that_of_scikit_learn_with_both_ends() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["x", "y"])[rng.integers(0, 2, 1000)]
    probability = rng.random((1000, 3))
    found = curves(labels, probability, ["x", "y", "absent"])
    assert [curve.name for curve in found] == ["x", "y"]
    precision, recall, _ = precision_recall_curve(labels == "x", probability[:, 0])
    points = set(zip(recall.tolist(), precision.tolist(), strict=True))
    thinned = list(zip(found[0].recall.tolist(), found[0].precision.tolist(), strict=True))
    assert set(thinned) <= points and len(thinned) <= MAX_POINTS
    assert (thinned[0], thinned[-1]) == ((recall[0], precision[0]), (recall[-1], precision[-1]))


def test_the_curve_of_a_rare_class_keeps_its_shape() -> None:
    rng = np.random.default_rng(0)
    is_rare = np.arange(20_000) < 100
    probability = rng.normal(np.where(is_rare, 0.7, 0.3), 0.1)[:, None]
    (curve,) = curves(np.where(is_rare, "qso", "star"), probability, ["qso"])
    steps = -np.diff(curve.recall)
    assert len(steps) < MAX_POINTS and steps.min() >= 0 and steps.max() == pytest.approx(1 / 100)  # one spectrum
    assert np.sum(steps * curve.precision[:-1]) == pytest.approx(curve.average_precision)


@pytest.fixture
def drawn_figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn, in place of their files."""
    found: list[Figure] = []
    for module in (curves_module, precision_recall):
        monkeypatch.setattr(module, "save", lambda drawn, _path: found.append(drawn))
    return found


def test_names_that_begin_with_an_underscore_stand_in_the_legends(drawn_figures: list[Figure]) -> None:
    rows = [{"epoch": epoch, "stage": "_one", "train/loss": 1.0, "lr": 0.1, "val/f1/_odd": 0.5} for epoch in (1, 2)]
    draw_curves(Path("curves.png"), rows, ["_odd"], best_epoch=1)
    curve = Curve("_odd", np.array([1.0, 0.0]), np.array([0.5, 1.0]), 0.75)
    draw_precision_recall(Path("precision_recall.png"), [curve], "test")
    legends = [axes.get_legend() for drawn in drawn_figures for axes in drawn.axes]
    shown = [[text.get_text() for text in legend.get_texts()] for legend in legends if legend is not None]
    assert shown == [["training, _one"], ["_odd"], ["_odd, 0.750"]]


def test_letters_that_no_font_has_are_warned_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fontManager, "get_font_names", lambda: ["DejaVu Sans"])
    with styled():
        draw_confusion(tmp_path / "confusion.png", {"test": [[3, 1], [0, 2]]}, ["恒星", "銀河"])
    check_picture(tmp_path / "confusion.png")
    (message,) = caplog.messages
    assert message.startswith("No font that pictures use has some letters of the names")
    assert message.endswith(f"delete matplotlib's list of fonts in {mpl.get_cachedir()}.")


def test_fonts_of_other_scripts_are_asked_if_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [*mpl.rcParams["font.family"]]
    monkeypatch.setattr(fontManager, "get_font_names", lambda: ["DejaVu Sans", "NanumGothic", "Noto Sans CJK JP"])
    with styled():
        assert mpl.rcParams["font.family"] == [*before, "Noto Sans CJK JP", "NanumGothic"]
    assert mpl.rcParams["font.family"] == before

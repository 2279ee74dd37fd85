"""precision_recall.png: what each class's threshold could trade, one class against the rest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from spectral.plots.style import GREY, add_legend, figure, save

MAX_POINTS = 200  # of a curve


class Curve(NamedTuple):
    """Precision over falling recall, and the area below: the average precision."""

    name: str
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    average_precision: float


def curves(labels: NDArray[Any], probability: NDArray[Any], class_names: Sequence[str]) -> list[Curve]:
    """The curve of each class that the labels hold, thinned to a few points along it.

    Args:
        labels: [n], names.
        probability: [n, K].
        class_names: [K].
    """
    found = []
    for k, name in enumerate(class_names):
        is_class = labels == name
        if is_class.any():
            precision, recall, _ = precision_recall_curve(is_class, probability[:, k], drop_intermediate=True)
            chosen = _evenly(recall)
            area = float(average_precision_score(is_class, probability[:, k]))
            found.append(Curve(name, recall[chosen], precision[chosen], area))
    return found


def _evenly(recall: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places of at most MAX_POINTS points, evenly along a recall that falls from 1 to 0, both ends among them.

    Of points of one recall the last is taken, whose precision holds down to the next recall.
    """
    wanted = np.linspace(1, 0, MAX_POINTS - 1)
    last = np.searchsorted(-recall, -wanted, side="right") - 1
    return np.unique(np.append(last, 0))


def draw_precision_recall(path: Path, found: Sequence[Curve], split: str) -> None:
    drawn, axes = figure(6.6, 4.4)
    lines: list[Line2D] = []
    for curve in found:
        label = f"{curve.name}, {curve.average_precision:.3f}"
        lines += axes.step(curve.recall, curve.precision, where="post", label=label)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        recall = np.linspace(f1 / (2 - f1), 1, 60)
        axes.plot(recall, f1 * recall / (2 * recall - f1), color=GREY, linewidth=0.7, linestyle=":")
        axes.annotate(f"F1 {f1:g}", (1.0, f1 / (2 - f1)), color=GREY, fontsize=8, va="center")
    axes.set(
        xlim=(0, 1.02),
        ylim=(0, 1.02),
        xlabel="recall",
        ylabel="precision",
        title=f"Each class against the rest, {split}",
    )
    add_legend(axes, lines, title="class, average precision", loc="center left", bbox_to_anchor=(1.08, 0.5))
    save(drawn, path)

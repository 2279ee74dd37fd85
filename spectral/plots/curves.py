"""curves.png: loss by stage, scores and learning rate over the epochs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from spectral.plots.style import GREY, add_legend, figure, save, whole_numbers


def draw_curves(path: Path, rows: Sequence[dict[str, Any]], class_names: Sequence[str], best_epoch: int) -> None:
    """Draw loss, validation scores and learning rate by epoch.

    Args:
        rows: of metrics.jsonl, at least one.
    """
    drawn, (loss, score, rate) = figure(8, 8, nrows=3, sharex=True, height_ratios=[3, 4, 1.6])
    of_loss: list[Line2D] = []
    for stage in dict.fromkeys(row["stage"] for row in rows):
        of_stage = [row for row in rows if row["stage"] == stage]
        of_loss += _line(loss, of_stage, "train/loss", f"training, {stage}")
    of_loss += _line(loss, rows, "val/log_loss", "validation, log loss", color=GREY, linestyle="--")
    loss.set(ylabel="loss", title="Loss")
    of_score: list[Line2D] = []
    for name in class_names:
        of_score += _line(score, rows, f"val/f1/{name}", name, alpha=0.8)
    of_score += _line(score, rows, "val/macro_f1", "macro-F1", color="black", linewidth=2.4)
    score.set(ylabel="F1 on validation", ylim=(0, 1.02), title="Scores of the most probable class")
    _line(rate, rows, "lr", "")
    rate.set(ylabel="learning rate", xlabel="epoch")
    scale_rates(rate, [row["lr"] for row in rows])
    for axes in (loss, score, rate):
        axes.axvline(best_epoch, color=GREY, linewidth=0.9, linestyle=":")
    for axes, lines in ((loss, of_loss), (score, of_score)):
        if lines:  # scores: none without a validation split
            add_legend(axes, lines, loc="center left", bbox_to_anchor=(1.0, 0.5))
    loss.annotate("kept", (best_epoch, 1), xycoords=("data", "axes fraction"), color=GREY, ha="center", va="bottom")
    whole_numbers(rate)
    save(drawn, path)


def scale_rates(axes: Any, rates: Sequence[float]) -> None:
    """Give an axis of learning rates its scale and its numbers: logarithmic from a decade on, else from zero."""
    least, most = min(rates), max(rates)
    if least > 0 and most >= 10 * least:
        axes.set_yscale("log")
        # Between two powers of ten an axis might hold one number or none.
        is_narrow = most < 100 * least
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:g}") if is_narrow else NullFormatter())
    else:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:g}")


def _line(axes: Any, rows: Sequence[dict[str, Any]], key: str, label: str, **style: Any) -> list[Line2D]:
    """A line of one metric, with points where there are few; none if no row has it."""
    known = [(row["epoch"], row[key]) for row in rows if key in row]
    if not known:
        return []
    marker = "o" if len(known) < 30 else None
    drawn: list[Line2D] = axes.plot(*zip(*known, strict=True), label=label, marker=marker, markersize=3, **style)
    return drawn

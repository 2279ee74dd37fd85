"""confusion.png: what each true class was taken for, by split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from spectral.plots.style import figure, save

SPLITS = {"val": "Validation", "test": "Test"}
MOST_WRITTEN = 20  # classes, up to which there are numbers in the cells
MOST_INCHES = 28.0  # of all splits together


def draw_confusion(path: Path, counts: Mapping[str, Sequence[Sequence[int]]], class_names: Sequence[str]) -> None:
    """Draw the confusion matrices of a run.

    Args:
        counts: split -> [K, K], row true class, column predicted class; at least one split.
    """
    size = min(max(3.2, 0.75 * len(class_names) + 1.6), MOST_INCHES / len(counts))
    is_written = len(class_names) <= MOST_WRITTEN
    drawn, axes = figure(size * len(counts) + 0.8, size, ncols=len(counts), squeeze=False)
    for one, (split, matrix) in zip(axes[0], counts.items(), strict=True):
        values = np.asarray(matrix)
        shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
        image = one.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (true, predicted), count in np.ndenumerate(values) if is_written else ():
            colour = "white" if shares[true, predicted] > 0.6 else "black"
            text = f"{count}\n{shares[true, predicted]:.0%}" if count else "0"
            one.text(predicted, true, text, ha="center", va="center", color=colour, fontsize=9)
        ticks = range(len(class_names))
        rotation = 90 if not is_written else 30 if max(map(len, class_names)) > 6 else 0
        fontsize = None if is_written else min(9, 600 / len(class_names))
        one.set_xticks(ticks, class_names, rotation=rotation, fontsize=fontsize)
        one.set_yticks(ticks, class_names, fontsize=fontsize)
        one.grid(False)
        one.spines[:].set_visible(False)
        one.set(xlabel="predicted", ylabel="true", title=f"{SPLITS[split]}, {values.sum()} spectra")
    drawn.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    save(drawn, path)

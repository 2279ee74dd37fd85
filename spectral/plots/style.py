"""What all pictures share: colours that colour-blind readers can tell apart, quiet axes, and how a file is written."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spectral.files import writing

# Okabe & Ito (2008), colours for all: https://jfly.uni-koeln.de/color/
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00"]
GREY = "#767676"
DPI = 130

SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "font.size": 10,
    "grid.color": "#e5e5e5",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "text.parse_math": False,  # class names may hold dollars
    "xtick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.color": GREY,
    "ytick.labelcolor": "black",
}


def styled() -> AbstractContextManager[None]:
    """Around all that draws."""
    return mpl.rc_context(SETTINGS)


def figure(width: float, height: float, **grid: Any) -> tuple[Figure, Any]:
    """A figure of a size in inches, and its axes as `Figure.subplots` gives them."""
    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, drawn.subplots(**grid)


def save(drawn: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with writing(path) as file:
        drawn.savefig(file, format="png", dpi=DPI)


def whole_numbers(axes: Axes) -> None:
    """Ticks of the x axis at whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))

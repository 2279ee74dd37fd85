"""What all pictures share: colours that colour-blind readers can tell apart, quiet axes, and how a file is written."""

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spectral.files import writing

log = logging.getLogger(__name__)

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

# Fonts with Chinese, Japanese and Korean letters, as Linux, macOS and Windows have them.
EAST_ASIAN = [
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "IPAexGothic",
    "IPAGothic",
    "NanumGothic",
    "PingFang SC",
    "Hiragino Sans",
    "Hiragino Sans GB",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Microsoft YaHei",
    "SimHei",
    "Yu Gothic",
    "MS Gothic",
    "Malgun Gothic",
]
NO_GLYPH = r"Glyph \d+ .*missing from font"  # a warning of matplotlib, for each letter


@contextmanager
def styled() -> Iterator[None]:
    """Around all that draws. Letters that no font has are warned of once, in place of a warning for each."""
    installed = {*fontManager.get_font_names()}  # of one that is not, matplotlib warns
    families = [*mpl.rcParams["font.family"], *(name for name in EAST_ASIAN if name in installed)]
    with mpl.rc_context(SETTINGS | {"font.family": families}), warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message=NO_GLYPH)
        yield
    _warn_once(caught)


def _warn_once(caught: Sequence[warnings.WarningMessage]) -> None:
    others = [one for one in caught if not re.match(NO_GLYPH, str(one.message))]
    if len(others) < len(caught):
        log.warning(
            "No font that pictures use has some letters of the names, and boxes are drawn in their place. Noto Sans "
            "CJK has Chinese, Japanese and Korean ones; once it is installed, delete matplotlib's list of fonts in %s.",
            mpl.get_cachedir(),
        )
    for one in others:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def figure(width: float, height: float, **grid: Any) -> tuple[Figure, Any]:
    """A figure of a size in inches, and its axes as `Figure.subplots` gives them."""
    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, drawn.subplots(**grid)


def add_legend(axes: Axes, lines: Sequence[Line2D], **options: Any) -> None:
    """A legend of some lines. Left to itself matplotlib leaves out those whose names begin with "_"."""
    axes.legend(lines, [str(line.get_label()) for line in lines], **options)


def save(drawn: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with writing(path) as file:
        drawn.savefig(file, format="png", dpi=DPI)


def whole_numbers(axes: Axes) -> None:
    """Ticks of the x axis at whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))

"""What all figures share: colours that colour-blind readers can tell apart, fonts, escaped text, plain numbers."""

import html
import math
from collections.abc import Iterable
from typing import Any

# Okabe & Ito (2008), colours for all: https://jfly.uni-koeln.de/color/
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00"]
GREY = "#767676"  # 4.5 : 1 on white
INK = "#1b1b1b"
DARK = {"#0072B2", "#000000", "#8C6D00"}  # of COLOURS: white text on them is easier to read than black
MOST_COUNTED = 12  # beyond that Plotly's own ticks are whole numbers, and not crowded
PALE = {"#E69F00", "#56B4E9"}  # of COLOURS: less than 3 : 1 on white, too little for thin lines
LINE_SCORES = [[0, "#6f8fa7"], [0.5, "#2a76a8"], [1, "#00233a"]]  # of thin lines, which need more contrast
SCORES = [[0, "#a9bccb"], [0.5, "#3f8fc0"], [1, "#00233a"]]  # pale is poor


def text(value: Any) -> str:
    """Text for a Plotly label, which would read some HTML tags in it, but not the entities of quotes."""
    return html.escape(str(value), quote=False)


def ink_on(colour: str) -> str:
    """The colour of text on one of COLOURS, with a contrast of at least 4.5 : 1."""
    return "white" if colour in DARK else "black"


def short(value: Any, length: int = 18) -> str:
    """Text for a place that has room for so many characters."""
    whole = str(value)
    return text(whole if len(whole) <= length else whole[: length - 1] + "…")


def tail(value: Any, length: int = 24) -> str:
    """Text for a place where the end says most, such as the name of an axis."""
    whole = str(value)
    return text(whole if len(whole) <= length else "…" + whole[1 - length :])


def both_ends(value: Any, length: int = 30) -> str:
    """Text for a place where start and end say most, such as the name of a slot behind that of its machine."""
    whole = str(value)
    return text(whole if len(whole) <= length else f"{whole[: length // 2]}…{whole[length // 2 + 1 - length :]}")


def numbers(values: Iterable[Any]) -> list[float | None]:
    """Five digits of each number, as JSON may hold them: None for what is missing, infinite or not a number."""
    return [number(value) for value in values]


def number(value: Any) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.5g}")


def marks(name: str, x: Any, y: Any, hover: Any, **marker: Any) -> dict[str, Any]:
    """Points, each with lines of text that are shown when it is pointed at."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": text(name),
        "x": x,
        "y": y,
        "text": hover,
        "hoverinfo": "text",
        "marker": marker,
    }


def line(name: str, x: Any, y: Any, colour: str, **further: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": text(name),
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2} | further.pop("line", {}),
    } | further


def layout(x: str = "", y: str = "", **further: Any) -> dict[str, Any]:
    """A layout with the titles of its axes."""
    return {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": COLOURS,
        "margin": {"l": 64, "r": 24, "t": 44, "b": 56},
        "hovermode": "closest",
        "xaxis": axis(x),
        "yaxis": axis(y),
        # At the top of the figure, however high it is.
        "legend": {"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0},
    } | further


def counting(title: str, values: Iterable[float], **further: Any) -> dict[str, Any]:
    """An axis of whole numbers, such as epochs: without further ticks between them if there are few."""
    there = list(values)
    every = {"dtick": 1} if there and max(there) - min(there) <= MOST_COUNTED else {}
    return axis(title, **every, **further)


def named_places(names: Iterable[str]) -> dict[str, Any]:
    """Ticks of an axis with things at 0, 1, ... By their names alone, two of the same name would share a place."""
    ticktext = list(names)
    return {"tickvals": list(range(len(ticktext))), "ticktext": ticktext}


def axis(title: str = "", **further: Any) -> dict[str, Any]:
    return {
        "title": {"text": title},
        "gridcolor": "#e5e5e5",
        "linecolor": "#767676",
        "zeroline": False,
        "automargin": True,
    } | further

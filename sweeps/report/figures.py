"""What all figures share: colours that colour-blind readers can tell apart, fonts, and escaped text."""

import html
from typing import Any

# Okabe & Ito (2008), colours for all: https://jfly.uni-koeln.de/color/
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00"]
GREY = "#767676"  # 4.5 : 1 on white


def text(value: Any) -> str:
    """Text for a Plotly label, which would read some HTML tags in it."""
    return html.escape(str(value))


def layout(x: str = "", y: str = "", **further: Any) -> dict[str, Any]:
    """A layout with the titles of its axes."""
    return {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1b1b1b"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": COLOURS,
        "margin": {"l": 64, "r": 24, "t": 24, "b": 56},
        "hovermode": "closest",
        "xaxis": axis(x),
        "yaxis": axis(y),
        "legend": {"orientation": "h", "y": 1.12, "x": 0},
    } | further


def axis(title: str = "", **further: Any) -> dict[str, Any]:
    return {
        "title": {"text": title},
        "gridcolor": "#e5e5e5",
        "linecolor": "#767676",
        "zeroline": False,
        "automargin": True,
    } | further

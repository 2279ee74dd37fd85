"""A section of the report: some HTML, the figures it refers to, and data for its script."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ASSETS = Path(__file__).parent / "assets"

TEMPLATES = Environment(
    loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True)
class Figure:
    """A Plotly figure.

    Args:
        name: unique on the page; the element's id.
        label: one sentence that says what is to be seen, for the caption and for screen readers.
        least_width_px: that the figure can be read at; a narrower window scrolls it. 0: any width.
        content: {"data": [...], "layout": {...}} as Plotly reads it; text in it is shown as it is, never as HTML.
    """

    name: str
    label: str
    content: dict[str, Any]
    height_px: int = 380
    least_width_px: int = 0


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Args:
        name: the anchor, such as "search".
        html: from a template of assets/, so that text from data is escaped.
        data: JSON for the section's script, found on the page as `spectralData["<name>"]`.
        script: name of a file in assets/.
        libraries: names of files in assets/ that the script needs before it.
    """

    name: str
    title: str
    html: str
    figures: tuple[Figure, ...] = ()
    data: Any = None
    script: str | None = None
    libraries: tuple[str, ...] = ()


def render(template: str, **context: Any) -> str:
    """The HTML of a template in assets/; whatever the context holds is escaped."""
    return TEMPLATES.get_template(template).render(**context)

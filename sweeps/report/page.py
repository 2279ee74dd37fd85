"""The whole page: sections, styles, scripts and Plotly itself in one file that needs no network."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from sweeps.report.figures.style import COLOURS
from sweeps.report.model import Report
from sweeps.report.section import ASSETS, Section, render
from sweeps.report.sections import best_run, machine, search, side_by_side, spectra, summary

MAKERS: Sequence[Callable[[Report], Section | None]] = (
    summary.section,
    search.section,
    machine.section,
    best_run.section,
    spectra.section,
    side_by_side.section,
)


def build_page(report: Report) -> str:
    """The page's HTML; a section that has nothing to show is left out."""
    sections = [section for make in MAKERS if (section := make(report))]
    return render(
        "page.html",
        title=f"{report.name}: Spectral report",
        sections=[(section, Markup(section.html)) for section in sections],
        figures=Markup(embedded({figure.name: figure.content for section in sections for figure in section.figures})),
        data=Markup(embedded({section.name: section.data for section in sections} | {"colours": COLOURS})),
        style=_asset("page.css"),
        plotly=_plotly(),
        scripts=[_asset("page.js"), *(_asset(name) for section in sections for name in _scripts(section))],
    )


def embedded(content: Any) -> str:
    """JSON that may stand in a script element, whatever text is in it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _scripts(section: Section) -> list[str]:
    return [*section.libraries, section.script] if section.script else []


def _asset(name: str) -> Markup:
    return Markup((ASSETS / name).read_text(encoding="utf-8"))


@cache
def _plotly() -> Markup:
    return Markup(get_plotlyjs())

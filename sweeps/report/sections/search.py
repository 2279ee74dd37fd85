"""Section: how the search went, and what it says of each axis."""

from sweeps.report.figures.columns import Column, columns_of
from sweeps.report.figures.scores import complete
from sweeps.report.figures.search_axes import MOST_SLICES, parallel, slices
from sweeps.report.figures.search_cost import cost_figures, pareto_figure
from sweeps.report.figures.search_history import curves, history
from sweeps.report.figures.search_importance import FEWEST, importance_figure, importances
from sweeps.report.figures.search_simplex import simplex_figures
from sweeps.report.model import Report
from sweeps.report.section import Figure, Section, render


def section(report: Report) -> Section | None:
    """None for run folders that no study holds."""
    if report.study is None:
        return None
    trials = complete(report)
    parts = importances(report)
    columns = by_importance(columns_of(report, trials), parts)
    groups = _groups(report, parts, columns)
    html = render(
        "search.html",
        num_complete=len(trials),
        groups=groups,
        step=report.step,
        untold="importance" not in groups,
        fewest=FEWEST,
        hidden=columns[MOST_SLICES:],
        num_slices=MOST_SLICES,
    )
    return Section("search", "Search", html, tuple(figure for figures in groups.values() for figure in figures))


def by_importance(columns: list[Column], parts: dict[str, float]) -> list[Column]:
    """Those of the axes that matter most first."""
    return sorted(columns, key=lambda column: -parts.get(column.axis, 0.0))


def _groups(report: Report, parts: dict[str, float], columns: list[Column]) -> dict[str, list[Figure]]:
    """Figures by heading, in the order of the page; headings without a figure are left out."""
    trials = complete(report)
    can_compare = len(trials) > 1 and bool(columns)
    shown = curves(report)
    if not trials:
        return {"curves": [shown]} if shown else {}
    groups = {
        "pareto": [pareto_figure(report, trials)] if len(report.objectives) > 1 else [],
        "history": [history(report)],
        "curves": [shown] if shown else [],
        "importance": [importance_figure(report, parts)] if parts else [],
        "parallel": [parallel(report, trials, columns, bool(parts))] if can_compare else [],
        "simplex": simplex_figures(report, trials),
        "slices": slices(report, trials, columns) if can_compare else [],
        "cost": cost_figures(report, trials) if len(trials) > 1 else [],
    }
    return {heading: figures for heading, figures in groups.items() if figures}

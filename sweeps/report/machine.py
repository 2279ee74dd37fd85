"""Section: machine."""

from sweeps.report.section import Section
from sweeps.report.study import Report


def section(report: Report) -> Section | None:
    """None where there is nothing to show."""
    return None

"""What stands in place of a section that needs the best run's folder, if that is gone."""

from sweeps.report.model import Report
from sweeps.report.section import Section, render
from sweeps.results.run_dirs import folder_of


def gone_section(report: Report, name: str, title: str) -> Section | None:
    """One sentence that names the folder; None if it is there and can be read, so that it only has no result."""
    best = report.best
    folder = folder_of(best.attributes, report.folder) if best else None
    if best is None or folder is None or (folder.is_dir() and best.runs):
        return None
    return Section(name, title, render("gone.html", folder=folder, trial=best, is_there=folder.is_dir()))

"""The command line of the report."""

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.report", description="One HTML page on a study or on runs.")
    parser.add_argument("where", metavar="STUDY_OR_FOLDER", help="a study's name or folder, a run folder, or runs")
    parser.add_argument("--out", type=Path, help="file to write (default: report.html in the folder)")
    parser.add_argument("--storage", help="URL, where the study is not kept in its folder")
    given = parser.parse_args(arguments)
    try:
        print(write_report(given.where, given.storage, given.out))
    except (LookupError, OSError) as error:
        print(f"error: {error.args[0] if isinstance(error, LookupError) else error}", file=sys.stderr)
        return 2
    return 0


def write_report(where: str, url: str | None = None, out: Path | None = None, folder: Path | None = None) -> Path:
    """Write the page and return where it is.

    Args:
        where: a study's name or folder, a run folder, or a folder of runs.
        url: of the study's storage, where it is not in the study's folder.
        folder: of the sweep, where `where` does not tell it.

    Raises:
        LookupError: there is neither a study nor a finished run.
        OSError: the file cannot be written.
    """
    from boltons.fileutils import atomic_save

    from sweeps.report.page import build_page
    from sweeps.report.study import read_report

    report = read_report(where, url, folder)
    path = out or report.folder / "report.html"
    page = build_page(report).encode()
    with atomic_save(str(path), overwrite=True) as file:
        file.write(page)
    return path

"""The command line of the report."""

import argparse
import dataclasses
from pathlib import Path

from sweeps.cli import mistake
from sweeps.errors import user_error_type
from sweeps.report.options import Options

PAGE = "report.html"


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.report", description="One HTML page on a study or on runs.")
    where = "a study or a run, by name or folder, or a folder of runs"
    parser.add_argument("where", metavar="STUDY_OR_FOLDER", help=where)
    parser.add_argument("--out", type=Path, help="file to write (default: report.html in the folder)")
    parser.add_argument("--storage", help="URL, if the folder of the study does not name it")
    most = "most spectra in the section Spectra (default: %(default)s)"
    parser.add_argument("--max-spectra", type=_count, default=Options.max_spectra, help=most)
    without = "leave the saliency out, so that torch is not loaded"
    parser.add_argument("--no-saliency", action="store_true", help=without)
    given = parser.parse_args(arguments)
    options = Options(max_spectra=given.max_spectra, saliency=not given.no_saliency)
    try:
        print(write_report(given.where, given.storage, given.out, options=options))
    except (LookupError, user_error_type()) as error:
        return mistake(error.args[0])
    return 0


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 on")
    return int(text)


def write_report(
    where: str,
    url: str | None = None,
    out: Path | None = None,
    folder: Path | None = None,
    options: Options | None = None,
) -> Path:
    """Write the page and return where it is.

    Args:
        where: a name of a study or a run in outputs, the folder of one, or a folder of runs.
        url: of the study's storage, if the study's folder does not name it.
        folder: of the sweep, if `where` does not name it.
        options: None for the usual ones.

    Raises:
        LookupError: there is neither a study nor a finished run.
        UserError: the study cannot be opened, or the file cannot be written.
    """
    from sweeps.files import write_output
    from sweeps.report.page import build_page
    from sweeps.report.read_study import read_report

    report = dataclasses.replace(read_report(where, url, folder), options=options or Options())
    path = out or report.folder / PAGE
    write_output(path, build_page(report).encode(), f"--out {path}" if out else str(path))
    return path

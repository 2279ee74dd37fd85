"""The report of a sweep, made in a process of its own: it takes hundreds of MB, which the controller would keep."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from sweeps.errors import first_line

# Set the path first: without it `sweeps` may not be found.
START = "import sys; sys.path[:] = {path!r}; from sweeps.report.own_process import main; main()"


class ReportFailed(Exception):  # noqa: N818  (not an error of the sweep)
    """The report was not made; the text says why, in one line."""


def write_in_own_process(study: str, url: str, folder: Path) -> Path:
    """Write the report of a study as `write_report` does, and wait for it; returns where it is.

    Raises:
        ReportFailed: the process failed, was killed, or could not be started.
    """
    command = [sys.executable, "-c", START.format(path=sys.path), json.dumps([study, url, str(folder)])]
    try:
        made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    except OSError as error:
        raise ReportFailed(f"its process could not be started: {first_line(error)}") from error
    if made.returncode < 0:
        raise ReportFailed(f"its process was ended by {signal.Signals(-made.returncode).name}")
    last = made.stdout.rstrip("\n").rpartition("\n")[2]
    if made.returncode:
        raise ReportFailed(last or f"its process ended with exit code {made.returncode}")
    return Path(last)


def main() -> None:
    """Write the report, and print where it is; or print why it was not written, and end with an exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C: the controller says what there is to say
    from sweeps.report.command import write_report

    study, url, folder = json.loads(sys.argv[1])
    try:
        print(write_report(study, url, folder=Path(folder)))
    except Exception as error:
        print(first_line(error))
        sys.exit(1)

"""The report that a sweep ends with."""

import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.report.command import PAGE
from sweeps.report.freshness import is_current
from sweeps.report.own_process import write_in_own_process
from sweeps.results.sweep_ensemble import FOLDER

if TYPE_CHECKING:
    from sweeps.study.shared_study import SharedStudy

log = logging.getLogger(__name__)


def write_after_sweep(study: "SharedStudy", folder: Path, has_news: bool) -> None:
    """Write report.html. If that fails, log it and how to make it again: the sweep itself has ended well.

    Args:
        has_news: whether a trial has ended in this command; if not, a page that is up to date is left as it is.
    """
    try:
        ensemble = folder / FOLDER / "result.json"
        is_left = not has_news and is_current(folder / PAGE, study, folder, [ensemble])
        print(f"report: {folder / PAGE if is_left else write_in_own_process(study.name, study.url, folder)}")
    except Exception as error:
        log.debug("the report failed", exc_info=True)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        again = shlex.join(["python", "-m", "sweeps.report", str(folder)])
        log.warning("The report could not be written (%s). To make it again: %s", reason, again)

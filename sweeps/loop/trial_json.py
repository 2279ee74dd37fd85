"""Write trial.json in each run folder: what the study knows about the run, for readers who only have the folder."""

import logging
from pathlib import Path

from sweeps.files import load_json, write_json
from sweeps.loop.trial_run import TrialRun
from sweeps.outputs import FINAL_KIND, TRIAL_FILE
from sweeps.study.shared_study import SharedStudy

log = logging.getLogger(__name__)


def write_trial_json(
    study: SharedStudy, run: TrialRun, folder: Path, state: str, reason: str = "", values: list[float] | None = None
) -> None:
    """Write trial.json into a folder of a trial. An error such as a full disk is only logged."""
    content = {
        "study": study.name,
        "kind": study.kind,
        "number": run.number,
        "state": state,
        "values": values,
        "reason": reason,
        "overrides": run.overrides,
        "varied": [override for override in run.overrides if override not in study.space.common],
        "seeds": run.seeds,
        "attempts": run.num_attempts,
    }
    try:
        write_json(folder / TRIAL_FILE, content)
    except OSError as error:
        log.warning("%s could not be written: %s", folder / TRIAL_FILE, error)


def mark_final(folder: Path) -> None:
    """Mark a run as final in its trial.json, if it has one. An error is only logged."""
    path = folder / TRIAL_FILE
    try:
        if content := load_json(path):
            write_json(path, content | {"kind": FINAL_KIND})
    except (OSError, ValueError) as error:
        log.warning("%s could not be written: %s", path, error)

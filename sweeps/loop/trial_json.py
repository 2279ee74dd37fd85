"""Write trial.json in each run folder: what the study knows about the run, for readers who only have the folder."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from sweeps.files import load_json, remove_left_parts, write_json
from sweeps.loop.trial_run import TrialRun
from sweeps.outputs import FINAL_KIND, TRIAL_FILE
from sweeps.results.final_trials import ended_finals
from sweeps.results.run_dirs import run_dirs
from sweeps.study.attributes import ATTEMPTS, OVERRIDES, REASON, REUSED_FROM, SEEDS
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing

log = logging.getLogger(__name__)

OF_THE_END = ("kind", "state", "values", "reason")


def write_trial_json(
    study: SharedStudy, run: TrialRun, folder: Path, state: str, reason: str = "", values: list[float] | None = None
) -> None:
    """Write trial.json into a folder of a trial. An error such as a full disk is only logged."""
    given = (run.number, run.overrides, run.seeds, run.num_attempts)
    _write(folder, _content(study, *given, state=state, values=values, reason=reason))


def mark_final(folder: Path) -> None:
    """Mark a run as final in its trial.json, if it has one. An error is only logged."""
    if content := _read(folder):
        _write(folder, content | {"kind": FINAL_KIND})


def reconcile(study: SharedStudy, folder: Path) -> None:
    """Write each trial.json again that does not say how its trial ended, and remove what killed controllers left.

    A controller may be killed after the study has the end of a trial and before trial.json has it, or its disk may be
    full.

    Args:
        folder: of the sweep.
    """
    if folder.is_dir():
        remove_left_parts(folder)
    with_final = ended_finals(study.study.user_attrs)
    for trial in standing(study.trials()):
        # A trial that reuses the result of another has that one's folder.
        if trial.state.is_finished() and OVERRIDES in trial.user_attrs and REUSED_FROM not in trial.user_attrs:
            for path in run_dirs(trial.user_attrs, folder):
                _reconcile(study, trial, path, trial.number in with_final)


def _reconcile(study: SharedStudy, trial: FrozenTrial, folder: Path, is_final: bool) -> None:
    stored, attributes = _read(folder), trial.user_attrs
    is_marked = stored.get("kind") == FINAL_KIND  # its final run may still be running
    content = _content(
        study,
        trial.number,
        attributes[OVERRIDES],
        attributes.get(SEEDS, study.seeds),
        attributes.get(ATTEMPTS, 0),
        state=trial.state.name.lower(),
        values=trial.values,
        reason=attributes.get(REASON, ""),
        is_final=is_final or is_marked,
    )
    if any(stored.get(name) != content[name] for name in OF_THE_END):
        _write(folder, content)


def _content(
    study: SharedStudy,
    number: int,
    overrides: list[str],
    seeds: list[int] | None,
    num_attempts: int,
    *,
    state: str,
    values: list[float] | None,
    reason: str,
    is_final: bool = False,
) -> dict[str, Any]:
    return {
        "study": study.name,
        "kind": FINAL_KIND if is_final else study.kind,
        "number": number,
        "state": state,
        "values": values,
        "reason": reason,
        "overrides": overrides,
        "varied": [override for override in overrides if override not in study.space.common],
        "seeds": seeds,
        "attempts": num_attempts,
    }


def _read(folder: Path) -> dict[str, Any]:
    """trial.json; empty if it is missing or cannot be read."""
    try:
        return load_json(folder / TRIAL_FILE)
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", folder / TRIAL_FILE, error)
        return {}


def _write(folder: Path, content: Mapping[str, Any]) -> None:
    try:
        remove_left_parts(folder)
        write_json(folder / TRIAL_FILE, content)
    except OSError as error:
        log.warning("%s could not be written: %s", folder / TRIAL_FILE, error)

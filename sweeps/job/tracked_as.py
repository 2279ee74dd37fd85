"""The name of a sweep's run in its tracker, from trial.json, which the controller writes before the run starts."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.files import load_json
from sweeps.outputs import FINAL_KIND, TRIAL_FILE

if TYPE_CHECKING:
    from spectral.tracking.backends.contract import TrackedAs

LONG_NUMBER = re.compile(r"\d+\.\d{4,}(e[+-]?\d+)?")


def tracked_as(folder: Path, seed: int) -> "TrackedAs | None":
    """The name, study and kind of the run in a folder; None for a run outside a sweep.

    Args:
        seed: of the run; part of the name if the trial has several seeds.
    """
    from spectral.tracking.backends.contract import TrackedAs

    try:
        trial = load_json(folder / TRIAL_FILE)
    except (OSError, ValueError):
        return None
    if not trial:
        return None
    kind = str(trial.get("kind", "trial"))
    # The name holds what differs between the runs of the study, with four digits of a number.
    seeds = [f"seed={seed}"] if trial.get("seeds") else []
    name = " ".join([*trial.get("varied", []), *seeds]) or f"trial {trial.get('number')}"
    name = LONG_NUMBER.sub(lambda found: f"{float(found[0]):.4g}", name)
    return TrackedAs(name, str(trial.get("study", "")), kind, is_one_of_many=kind != FINAL_KIND)

"""The runs in a folder that is none itself, such as that of a sweep.

This module alone knows how sweeps lay out their folders, for a sentence to users: no command of `spectral` imports
sweeps.
"""

import shlex
from pathlib import Path

from spectral.configs.pasted_overrides import pasted_text

CONFIG = "config.yaml"
STUDIES = Path("outputs/sweeps")  # the folders of studies, which are named there
NUM_NAMED = 3


def runs_below(path: Path, key: str = "run") -> str:
    """A sentence that names run folders in a folder, for a message; begins with a space, empty if there are none.

    Args:
        path: a folder, or FOLDER:NUMBER, as `python -m sweeps.compare` names a trial of a study; the name of a study
            means its folder.
        key: what a run is given by; empty if by its path alone.
    """
    if path == Path() and Path("conf").is_dir():  # an empty argument: a repository's configs are no runs
        return ""
    study, separator, number = str(path).rpartition(":")
    is_trial = bool(separator) and number.isdecimal()
    folder = Path(study) if is_trial else path
    places = [number, f"{number}/*"] if is_trial else ["*", "*/seed-*"]
    found = _runs(folder, places) or _runs(STUDIES / folder, places)
    if not found:
        return ""
    ordered = sorted(found, key=lambda run: (len(run.parts), len(run.name), run))
    named = [pasted_text(key, str(run)) if key else shlex.quote(str(run)) for run in ordered[:NUM_NAMED]]
    more = f", or another of {len(ordered)}" if len(ordered) > NUM_NAMED else ""
    return f" Give a run in it: {', '.join(named)}{more}."


def _runs(folder: Path, places: list[str]) -> list[Path]:
    return [config.parent for place in places for config in folder.glob(f"{place}/{CONFIG}")]
